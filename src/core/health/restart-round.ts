/** Which of all containers are to be restarted now, which are given up, and when to ask again. Pure; changes nothing. */
import type { Millis } from '../../kernel/units.ts'
import { restartAdvice } from './restart.ts'
import { earliest } from './tracked.ts'
import type { Tracked } from './tracked.ts'

/** Many containers fail together when what they depend on fails; restarting them all at once would bury the node. */
export const restartsAtOnceMax = 3

export interface RestartRound {
  readonly start: readonly string[]
  readonly giveUp: readonly string[]
  readonly wakeAt?: Millis
}

export function restartRound(known: ReadonlyMap<string, Tracked>, now: Millis): RestartRound {
  const start: string[] = []
  const giveUp: string[] = []
  const waits: Millis[] = []
  let running = [...known.values()].filter(tracked => tracked.restarts.running).length
  for (const [id, tracked] of known) {
    if (!asksForRestart(tracked)) continue
    const advice = restartAdvice(tracked.restarts, now)
    if (advice.kind === 'giveUp') giveUp.push(id)
    if (advice.kind === 'wait' && advice.until !== undefined) waits.push(advice.until)
    if (advice.kind === 'now' && running < restartsAtOnceMax) {
      start.push(id)
      running++
    }
  }
  const wakeAt = earliest(waits)
  return { start, giveUp, ...(wakeAt === undefined ? {} : { wakeAt }) }
}

/** Its check fails, it is labelled, and we have looked at it since it was last restarted. */
function asksForRestart({ labels, finding, restarts, seenAt }: Tracked): boolean {
  const lastEnd = restarts.ended.at(-1)
  const seenSince = lastEnd === undefined || seenAt > lastEnd
  return labels.restartOnUnhealthy && finding.state === 'unhealthy' && seenSince
}
