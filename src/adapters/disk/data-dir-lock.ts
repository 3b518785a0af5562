/**
 * One agent per data directory: a second one would share the node id and the epoch of the first and take its processes over.
 * `agent.lock` names the process that uses the directory. It appears with its content or not at all, and a lock of a process
 * that no longer runs counts for nothing, so that a crash needs no cleaning up. Must not be trusted between containers that
 * share a directory: they do not see each other's processes.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConstellationError } from '../../kernel/errors.ts'
import { invariant } from '../../kernel/invariant.ts'
import type { Log } from '../../ports/log.ts'
import { identify, isRunning, processIdentity, type ProcessIdentity } from '../process/process-table.ts'
import { codeOf, isDiskFull, unwritable } from './state-files.ts'

export interface DataDirLock {
  /** Rejects with `DATA_DIR_IN_USE` while another process holds it, or with `STATE_UNWRITABLE`; a full disk is a warning. */
  acquire(): Promise<void>
  release(): Promise<void>
}

/** A round that ends without a verdict met a lock that was just given back. */
const roundsMax = 5

export function createDataDirLock(directory: string, log: Log): DataDirLock {
  const file = join(directory, 'agent.lock')

  async function acquire(): Promise<void> {
    try {
      // Looked at before anything is written: that much can be known on a full disk, too.
      await refuseIfHeld(file)
      await take()
    } catch (error) {
      if (error instanceof ConstellationError) throw error
      // A restart must not fail for want of a few bytes: the other small files do without as well.
      if (!isDiskFull(error)) throw unwritable(file, error)
      log.warn('cannot lock the data directory, the disk is full: a second agent would not be kept out', { file })
    }
  }

  async function take(): Promise<void> {
    const self = identify(process.pid)
    invariant(self !== undefined, 'the process that runs this can be identified')
    const temporary = `${file}.${randomBytes(6).toString('hex')}`
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeFile(temporary, `${JSON.stringify(self)}\n`, { mode: 0o600, flag: 'wx' })
      await claim(temporary, file)
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined)
    }
  }

  /** A stale lock is replaced only by whoever holds `.takeover`, a lock of the same kind: two cannot replace it at once. */
  async function claim(lock: string, name: string): Promise<void> {
    for (let round = 0; round < roundsMax; round += 1) {
      if (await linkIfAbsent(lock, name)) return
      await refuseIfHeld(name)
      const takeover = `${name}.takeover`
      await claim(lock, takeover)
      if (await isStale(name)) return rename(takeover, name)
      await rm(takeover, { force: true })
    }
    throw new Error(`${name} came and went ${roundsMax} times`)
  }

  async function refuseIfHeld(name: string): Promise<void> {
    const holder = await readHolder(name)
    if (typeof holder === 'object' && isRunning(holder)) throw inUse(directory, holder)
  }

  return {
    acquire,
    async release() {
      const holder = await readHolder(file)
      if (typeof holder === 'object' && holder.pid === process.pid && isRunning(holder)) await rm(file, { force: true })
    },
  }
}

/** Linking fails when the name is taken: of several that start at once one wins. */
async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** `unknown`: text that is no lock. A power cut can leave that behind, a running agent cannot. */
async function readHolder(file: string): Promise<ProcessIdentity | 'nobody' | 'unknown'> {
  try {
    return processIdentity.safeParse(JSON.parse(await readFile(file, 'utf8'))).data ?? 'unknown'
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'nobody'
    if (error instanceof SyntaxError) return 'unknown'
    throw error
  }
}

async function isStale(file: string): Promise<boolean> {
  const holder = await readHolder(file)
  return typeof holder === 'object' ? !isRunning(holder) : holder === 'unknown'
}

function inUse(directory: string, { pid }: ProcessIdentity): ConstellationError {
  return new ConstellationError('DATA_DIR_IN_USE', `another agent (pid ${pid}) uses the data directory ${directory}`, {
    hint: `stop it first (kill ${pid}), or give this agent a directory of its own (--data-dir, paths.dataDir)`,
  })
}
