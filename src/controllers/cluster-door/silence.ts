/**
 * Notices a cluster that is there and does nothing: its figures come every second, so a long silence is a loop without end,
 * and the agent would serve what it heard last for ever. Looks are counted, not time: a process that was suspended finds
 * one look due when it goes on, and what had come meanwhile is heard before the next.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'

export interface SilenceWatch {
  start(): void
  heard(): void
  stop(): void
}

const lookEveryMs: Millis = 10_000
/** Twenty to thirty seconds. */
const silentLooksMax = 3

/** `onSilence` is called once; until `start` and after `stop` nobody looks. */
export function watchForSilence(clock: Pick<Clock, 'now' | 'at'>, onSilence: () => void): SilenceWatch {
  let silentLooks = 0
  let disarm = (): void => undefined

  function look(): void {
    silentLooks++
    if (silentLooks >= silentLooksMax) onSilence()
    else arm()
  }

  function arm(): void {
    disarm = clock.at(clock.now() + lookEveryMs, look)
  }

  return {
    start: arm,
    heard: () => void (silentLooks = 0),
    stop: () => disarm(),
  }
}
