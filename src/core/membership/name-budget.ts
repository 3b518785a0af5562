/**
 * How many new names may come up unasked: so many at once, and as many again within the time of a refill. Pure arithmetic
 * of a bucket whose size may change while it is used.
 */
import type { Millis } from '../../kernel/units.ts'

export interface NameBudget {
  /** False when it is spent. `capacity` is asked for whenever time has passed, not for every name. */
  take(now: Millis, capacity: () => number): boolean
}

export function createNameBudget(refillMs: Millis): NameBudget {
  let left: number | undefined
  let at: Millis = 0
  return {
    take(now, capacity) {
      if (left === undefined || now > at) {
        const most = capacity()
        left = Math.min(most, (left ?? most) + (most * (now - at)) / refillMs)
        at = now
      }
      if (left < 1) return false
      left--
      return true
    },
  }
}
