/**
 * Where a process writes: a file it holds open itself, so that it outlives the agent. Bounded by emptying the file in place,
 * which works because it is opened for appending; the part before is kept once, under `.1`. A line written in the instant
 * between copying and emptying is lost.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { copyFile, stat, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'

const sizeBytesMax = 1_048_576

/** Calls `use` with a descriptor for the child, or 'ignore' when the file cannot be opened: better mute than not running. */
export function withOutput<T>(file: string, use: (output: number | 'ignore') => T): T {
  const descriptor = open(file)
  try {
    return use(descriptor)
  } finally {
    if (descriptor !== 'ignore') closeSync(descriptor)
  }
}

function open(file: string): number | 'ignore' {
  try {
    mkdirSync(dirname(file), { recursive: true })
    return openSync(file, 'a', 0o600)
  } catch {
    return 'ignore'
  }
}

/** Rejects when the disk does. */
export async function boundOutput(file: string): Promise<void> {
  const size = await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
  if (size <= sizeBytesMax) return
  await copyFile(file, `${file}.1`)
  await truncate(file)
}
