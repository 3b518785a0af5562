/**
 * One small file that follows a value: written soon after a change, not more often than allowed, and again later when the
 * disk would not take it. A full disk never stops the agent; it is warned about once, until a write succeeds.
 */
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { StateFiles } from '../ports/state-files.ts'

export interface KeptFile {
  /** Written at the latest `intervalMs` from now; an equal text is not written again. */
  keep(text: string): void
  /** Writes what is due and waits for it. Answers whether the disk now holds the last text. Never rejects. */
  flush(): Promise<boolean>
  /** No more timers. */
  stop(): void
}

export interface KeptFileSettings {
  readonly name: string
  readonly intervalMs: Millis
}

const retryMs: Millis = 30_000

export function createKeptFile(
  { name, intervalMs }: KeptFileSettings,
  ports: { readonly clock: Clock; readonly stateFiles: StateFiles; readonly log: Log },
): KeptFile {
  const { clock, stateFiles, log } = ports
  let wanted: string | undefined
  let written: string | undefined
  let warned = false
  let disarm: (() => void) | undefined

  function armIn(delayMs: Millis): void {
    disarm ??= clock.at(clock.now() + delayMs, () => {
      disarm = undefined
      void flush().then(isWritten => isWritten || armIn(retryMs))
    })
  }

  async function flush(): Promise<boolean> {
    const text = wanted
    if (text === undefined || text === written) return true
    try {
      await stateFiles.write(name, text)
    } catch (error) {
      if (!warned) log.warn('cannot keep state on disk, going on without', { file: name, error })
      warned = true
      return false
    }
    warned = false
    written = text
    return true
  }

  return {
    keep(text) {
      wanted = text
      if (text !== written) armIn(intervalMs)
    },
    flush,
    stop() {
      disarm?.()
      // Occupied for good: nothing is armed any more.
      disarm = () => undefined
    },
  }
}
