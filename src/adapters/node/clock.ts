/**
 * Node's clocks. `performance.now` is the monotonic one; it stands still while the machine sleeps, as timers do. Where it
 * begins may differ between threads, `hrtime` is one for all of them: times of one thread mean the same in every other.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'

/** setTimeout takes a signed 32-bit delay and fires at once above it. */
const delayMsMax = 2 ** 31 - 1

const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()

function monotonicNow(): Millis {
  return originMs + performance.now()
}

export const nodeClock: Clock = {
  now: monotonicNow,
  wallNow: () => Date.now(),
  at(deadline, run) {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const delayMs = Math.min(delayMsMax, Math.max(0, Math.ceil(deadline - monotonicNow())))
      timer = setTimeout(onTimer, delayMs)
    }
    // Node may fire a little early, and far deadlines are reached in several legs.
    const onTimer = (): void => {
      if (monotonicNow() < deadline) arm()
      else run()
    }
    arm()
    return () => clearTimeout(timer)
  },
}
