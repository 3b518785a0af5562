/**
 * Bounds one call to the outside: it settles by its deadline, whatever the other side does. Needed besides AbortSignal
 * because some clients never settle once an answer is cut off in the middle.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'

export interface DeadlineOptions {
  readonly clock: Clock
  readonly timeoutMs: Millis
  /** The caller's own cancellation: the answer is then its reason. */
  readonly signal: AbortSignal
  /** What to reject with when time is up. */
  readonly late: () => Error
}

/** `call` gets a signal that aborts when its answer is no longer wanted; a later answer is dropped. */
export function withDeadline<T>(options: DeadlineOptions, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, signal } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error)
      return
    }
    const cancel = new AbortController()
    const settle = (act: () => void): void => {
      disarm()
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const giveUp = (reason: Error): void => {
      settle(() => reject(reason))
      cancel.abort(reason)
    }
    const onAbort = (): void => giveUp(signal.reason as Error)
    const disarm = clock.at(clock.now() + options.timeoutMs, () => giveUp(options.late()))
    signal.addEventListener('abort', onAbort, { once: true })
    call(cancel.signal).then(
      value => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}
