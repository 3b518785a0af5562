/**
 * A node's own clock. True time is an integer of the simulation; the node sees it run a little fast or slow, and its wall
 * clock may jump. Both conversions are exact on integers, so a deadline never fires a millisecond before its time.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { SimTime } from './time.ts'

export interface SimClock extends Clock {
  /** As when somebody sets the clock; monotonic time does not notice. */
  jumpWall(byMs: Millis): void
}

const million = 1_000_000

/** `driftPpm`: 10,000 runs one per cent fast, -10,000 one per cent slow. Monotonic time starts at `originMs`. */
export function createSimClock(time: SimTime, driftPpm = 0, originMs: Millis = 0): SimClock {
  const rate = million + driftPpm
  let jumped = 0
  const local = (trueMs: Millis): Millis => originMs + Math.floor((trueMs * rate) / million)
  /** The first true millisecond at which `local` has reached the deadline. */
  const truly = (deadline: Millis): Millis => Math.ceil((Math.ceil(deadline - originMs) * million) / rate)
  return {
    now: () => local(time.now()),
    wallNow: () => time.wallNow() + local(time.now()) - originMs - time.now() + jumped,
    at: (deadline, run) => time.at(truly(deadline), run),
    jumpWall(byMs) {
      jumped += byMs
    },
  }
}
