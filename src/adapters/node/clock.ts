/**
 * Node's clocks. `hrtime` is the monotonic one; it stands still while the machine sleeps, as timers do. It is the same in
 * all threads, where `performance.now` begins with its thread: any sum of the two is off by as long as the thread was not
 * running between reading them, and a record would be seen before it came.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'

/** setTimeout takes a signed 32-bit delay and fires at once above it. */
const delayMsMax = 2 ** 31 - 1

function monotonicNow(): Millis {
  return Number(process.hrtime.bigint()) / 1e6
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
