/**
 * ports/runtime-delay.ts, measured on the timers that run anyway: a clock that notes how late each of them was served.
 * The histogram of node:perf_hooks wakes the thread for every sample (at 20 ms: 45 times a second, a fifth of a percent of
 * a core); what matters here is whether our own deadlines were met, and those fire without it.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TakeRuntimeDelay } from '../../ports/runtime-delay.ts'

/** More timers than this within one second are represented by the first ones. */
const samplesMax = 1_000

export function punctualClock(clock: Clock): { readonly clock: Clock; readonly takeDelay: TakeRuntimeDelay } {
  let delays: Millis[] = []

  return {
    clock: {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      at(deadline, run) {
        // A deadline of the past cannot be met; late is only who could have been there in time.
        const dueAt = Math.max(deadline, clock.now())
        return clock.at(deadline, () => {
          if (delays.length < samplesMax) delays.push(clock.now() - dueAt)
          run()
        })
      },
    },
    takeDelay() {
      const sorted = delays.sort((a, b) => a - b)
      delays = []
      return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0
    },
  }
}
