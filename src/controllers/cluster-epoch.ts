/**
 * The boot epoch: a number higher than that of any earlier run, so that peers take this run's records for newer than the
 * last one's. Normally the stored number plus one, on disk before anything is published.
 *
 * Where the disk cannot be read or written the seconds since 1970 stand in. An epoch that was used but not kept would be
 * used again by the next start, and peers would take its first records for old news; the seconds are far above any
 * counted number and differ from start to start. If the wall clock lies as well, peers still hold the higher version,
 * tell us at the first push/pull, and the registry rises above it.
 */
import { isVersionNumber } from '../core/registry/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { StateFiles } from '../ports/state-files.ts'
import { createKeptFile } from './kept-file.ts'
import type { KeptFile } from './kept-file.ts'

export interface EpochKeeper {
  /** The epoch of this run. Never rejects. */
  begin(): Promise<number>
  /** Peers knew a higher one: this is ours from now on. */
  raise(epoch: number): void
  stop(): Promise<void>
}

export const epochFileName = 'epoch.json'

export function createEpochKeeper(ports: {
  readonly clock: Clock
  readonly stateFiles: StateFiles
  readonly log: Log
}): EpochKeeper {
  const { clock, stateFiles, log } = ports
  const file: KeptFile = createKeptFile({ name: epochFileName, intervalMs: 0 }, ports)

  /** Undefined: there may have been one, but nobody can tell. */
  async function storedEpoch(): Promise<number | undefined> {
    try {
      const text = await stateFiles.read(epochFileName)
      return text === undefined ? 0 : parseEpoch(text)
    } catch (error) {
      log.warn('cannot read the boot epoch, going on without', { file: epochFileName, error })
      return undefined
    }
  }

  return {
    async begin() {
      const stored = await storedEpoch()
      const counted = epochAfter(stored ?? 0)
      if (stored !== undefined) {
        file.keep(epochText(counted))
        if (await file.flush()) return counted
      }
      const standIn = standInEpoch(counted, clock.wallNow())
      log.warn('the boot epoch is taken from the wall clock', { epoch: standIn })
      file.keep(epochText(standIn))
      return standIn
    },
    raise: epoch => file.keep(epochText(epoch)),
    async stop() {
      file.stop()
      await file.flush()
    },
  }
}

/** Every run counts one on. */
export function epochAfter(stored: number): number {
  return stored + 1
}

/** What is used when the disk would not tell, or would not keep, the counted one. */
export function standInEpoch(counted: number, wallNow: number): number {
  return Math.max(counted, Math.floor(wallNow / 1_000))
}

export function epochText(epoch: number): string {
  return `${JSON.stringify({ epoch })}\n`
}

/** Undefined when the text is no epoch. */
export function parseEpoch(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const epoch = typeof value === 'object' && value !== null && 'epoch' in value ? value.epoch : undefined
    return isVersionNumber(epoch) ? epoch : undefined
  } catch {
    return undefined
  }
}
