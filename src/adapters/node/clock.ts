/** Node's clocks. `performance.now` is the monotonic one; it stands still while the machine sleeps, as timers do. */
import type { Clock } from '../../ports/clock.ts'

/** setTimeout takes a signed 32-bit delay and fires at once above it. */
const delayMsMax = 2 ** 31 - 1

export const nodeClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  at(deadline, run) {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const delayMs = Math.min(delayMsMax, Math.max(0, Math.ceil(deadline - performance.now())))
      timer = setTimeout(onTimer, delayMs)
    }
    // Node may fire a little early, and far deadlines are reached in several legs.
    const onTimer = (): void => {
      if (performance.now() < deadline) arm()
      else run()
    }
    arm()
    return () => clearTimeout(timer)
  },
}
