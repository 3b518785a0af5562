/**
 * Programs of a bench that are measured themselves run compiled, as the agent does: what a loader of TypeScript adds to
 * every function would be measured too.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))

export async function compile(): Promise<void> {
  await promisify(execFile)(`${root}node_modules/.bin/tsc`, ['-p', `${root}bench/tsconfig.json`])
}

/** `file` is relative to bench/, without its ending. What it says on stderr is passed on. */
export function spawnCompiled(
  file: string,
  args: readonly string[],
  heapMegabytesMax = 512,
): ChildProcessByStdio<Writable, Readable, null> {
  const program = `${root}build/bench/bench/${file}.js`
  return spawn(process.execPath, [`--max-old-space-size=${heapMegabytesMax}`, program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}
