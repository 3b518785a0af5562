/** Time. `now` never goes back and knows nothing of the wall clock; decisions use it alone. */
import type { Millis } from '../kernel/units.ts'

export interface Clock {
  /** Monotonic milliseconds, origin unspecified. */
  now(): Millis
  /** Milliseconds since 1970, for people; may jump. */
  wallNow(): Millis
  /** Runs `run` once at or soon after `deadline` (monotonic); calling the answer disarms it, twice is harmless. */
  at(deadline: Millis, run: () => void): () => void
}

/** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, delayMs: Millis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = (): void => {
      disarm()
      reject(signal.reason as Error)
    }
    const disarm = clock.at(clock.now() + delayMs, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
