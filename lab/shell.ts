/** Runs programs of the lab; every failure says which command, with what it printed. */
import { execFile, spawn } from 'node:child_process'
import { openSync } from 'node:fs'

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** Resolves with what the program printed. Rejects with CommandFailed; gives up after two minutes. */
export function run(program: string, args: readonly string[], input?: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else
        reject(new CommandFailed(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }))
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** The same, when it does not matter whether it worked: tidying up what may not be there. */
export async function attempt(program: string, args: readonly string[]): Promise<void> {
  await run(program, args).catch(() => undefined)
}

/** Starts a program that goes on after us, in its own process group, its output in a file. Answers its pid. */
export function launch(program: string, args: readonly string[], logFile: string, env = process.env): number {
  const log = openSync(logFile, 'a')
  const child = spawn(program, [...args], { detached: true, stdio: ['ignore', log, log], env })
  child.unref()
  if (child.pid === undefined) throw new CommandFailed(`${program} could not be started`)
  return child.pid
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** SIGKILL; a process that is gone is what was wanted. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

export async function until(what: string, limitMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const began = performance.now()
  while (!(await holds())) {
    if (performance.now() - began > limitMs) throw new CommandFailed(`waited ${limitMs} ms in vain until ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
