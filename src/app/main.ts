#!/usr/bin/env node
/** The program: hands the process to the command line and ends with the exit code it answers. */
import { isatty } from 'node:tty'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { readToken } from '../adapters/disk/token-file.ts'
import { nodeClock } from '../adapters/node/clock.ts'
import { sleep } from '../ports/clock.ts'
import { runCli, type CliDeps } from '../delivery/cli/index.ts'
import type { Config } from './config.ts'
import { nodeSources } from './config/node-access.ts'
import { configFlags, showConfig } from './config/show.ts'
import { runDemo } from './demo/demo.ts'
import { loadConfig } from './load-config.ts'
import { runAgent } from './run-agent.ts'
import { version } from './version.ts'

/** A second Ctrl-C ends the process as usual. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
  return controller.signal
}

/** `process.stdout.isTTY` is undefined on a pipe, and an undefined choice of colours is left to a library that likes CI. */
const isTerminal = isatty(process.stdout.fd)

const deps: CliDeps<Config> = {
  version,
  io: {
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    colours: isTerminal && process.env['NO_COLOR'] === undefined,
    terminal: isTerminal,
    wallNow: () => nodeClock.wallNow(),
    now: () => nodeClock.now(),
  },
  configFlags: configFlags(),
  async loadConfig(flags) {
    const loaded = await loadConfig(nodeSources({ flags, env: process.env, cwd: process.cwd() }))
    return { config: loaded.config, file: loaded.file, settings: showConfig(loaded) }
  },
  runAgent,
  runDemo,
  readToken,
  sleep: (delayMs, signal) => sleep(nodeClock, delayMs, signal).catch(() => undefined),
  interruption,
  readFile: file => readFile(file, 'utf8'),
  readStdin: () => text(process.stdin),
  fetch,
}

// Whoever read us has seen enough (`| head -1`), or the disk it goes to is full: there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`constellation: cannot write to standard output: ${error.message}\n`)
  process.exit(1)
})

/** For last words on a slow pipe. */
const lingerMs = 2_000

process.exitCode = await runCli(process.argv.slice(2), deps)
// Whatever still holds the process is a leak by now; one that failed to start must not look as if it ran.
setTimeout(() => process.exit(), lingerMs).unref()
