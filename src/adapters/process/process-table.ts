/**
 * Which process is which. A pid is used again sooner or later, so a process is known by its pid and its start time in clock
 * ticks since boot (field 22 of /proc/<pid>/stat, see proc(5)) and the id of that boot. Where there is no /proc the pid alone
 * has to do. Signals go to whole process groups: every child we start leads one.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { sleep } from '../../ports/clock.ts'

export const processIdentity = z.object({ pid: z.int().positive(), startTicks: z.int(), bootId: z.string() })
export type ProcessIdentity = Readonly<z.output<typeof processIdentity>>

/** Undefined when no such process runs; one that has ended and only waits to be reaped does not run. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (process.platform !== 'linux') return exists(pid) ? { pid, startTicks: 0, bootId: '' } : undefined
  const stat = readText(`/proc/${pid}/stat`)
  // The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat === '' || state === 'Z' || state === 'X') return undefined
  return { pid, startTicks: Number(fields[18]), bootId: readText('/proc/sys/kernel/random/boot_id').trim() }
}

export function isRunning(identity: ProcessIdentity): boolean {
  const current = identify(identity.pid)
  return current?.startTicks === identity.startTicks && current.bootId === identity.bootId
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. Does nothing when that very one is gone already. */
export async function endProcess(identity: ProcessIdentity | null, clock: Clock, graceMs: Millis): Promise<void> {
  if (identity === null || !isRunning(identity)) return
  signalGroup(identity.pid, 'SIGTERM')
  if (!(await isGoneWithin(identity, clock, graceMs))) signalGroup(identity.pid, 'SIGKILL')
  await isGoneWithin(identity, clock, killWaitMs)
  endOrphans(identity.pid)
}

/** What its leader left behind would hold ports and files; a container's processes end with its first one, too. */
export function endOrphans(leaderPid: number): void {
  signalGroup(leaderPid, 'SIGKILL')
}

const pollMs = 20
/** A killed process that stays longer hangs in the kernel, and waiting on would not help. */
const killWaitMs = 5_000

async function isGoneWithin(identity: ProcessIdentity, clock: Clock, timeoutMs: Millis): Promise<boolean> {
  const never = new AbortController().signal
  const deadline = clock.now() + timeoutMs
  while (isRunning(identity)) {
    if (clock.now() >= deadline) return false
    await sleep(clock, pollMs, never)
  }
  return true
}

function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leaderPid, signal)
  } catch {
    // Nobody is left in the group: that is what was wanted.
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
