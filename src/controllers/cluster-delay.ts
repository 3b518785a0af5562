/** Tells the membership when its own thread is the slow one. Rides on the second at which the figures are reported. */
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { TakeRuntimeDelay } from '../ports/runtime-delay.ts'

const intervalMs: Millis = 1_000
/** Below it is nothing but collecting garbage and a busy core. */
export const delayFloorMs: Millis = 50

/** Looks every second until the answer is called. */
export function reportDelay(clock: Clock, takeDelay: TakeRuntimeDelay, tell: (delayMs: Millis) => void): () => void {
  let disarm = (): void => undefined

  function look(): void {
    const delayMs = takeDelay()
    if (delayMs >= delayFloorMs) tell(delayMs)
    arm()
  }

  function arm(): void {
    disarm = clock.at(clock.now() + intervalMs, look)
  }

  arm()
  return () => disarm()
}
