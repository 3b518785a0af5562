/**
 * What a `dead` message changes. A member that says it of itself has left; of us, while we live, it is answered at once.
 */
import { encodeMessage } from './codec.ts'
import { isFresher } from './counter.ts'
import type { Dead } from './messages.ts'
import { refuteAccusation, remindAccuser } from './refutation.ts'
import { announce, isLive, setStatus, setSuspicion } from './state.ts'
import type { State } from './state.ts'

export function applyDead(state: State, dead: Dead): void {
  const member = state.members.get(dead.node)
  if (member === state.self && isFresher(member.incarnation, dead.incarnation)) return remindAccuser(state, dead.from)
  if (member === undefined || isFresher(member.incarnation, dead.incarnation)) return
  if (!isLive(member)) return
  if (member === state.self && state.phase === 'running') return refuteAccusation(state, dead.incarnation)
  const previous = member.status
  setSuspicion(state, member, undefined)
  member.incarnation = dead.incarnation
  setStatus(state, member, dead.from === dead.node ? 'left' : 'dead')
  state.news.queue(member.name, encodeMessage(dead))
  announce(state, member, previous)
}

/** Suspicions that nobody refuted in time. */
export function expireSuspicions(state: State): void {
  for (const member of state.suspects) {
    if (member.suspicion === undefined || member.suspicion.deadline > state.now) continue
    const { name: node, incarnation } = member
    applyDead(state, { kind: 'dead', node, incarnation, from: state.self.name })
  }
}
