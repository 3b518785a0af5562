/**
 * What a `suspect` message changes: it starts a suspicion, or adds a voice to a running one. About ourselves it is
 * answered at once.
 */
import { encodeMessage } from './codec.ts'
import { isFresher } from './counter.ts'
import type { Suspect } from './messages.ts'
import { refuteAccusation, remindAccuser } from './refutation.ts'
import { announce, setStatus, setSuspicion, wakeBy } from './state.ts'
import type { KnownMember, State } from './state.ts'
import { createSuspicion, suspicionBounds } from './suspicion.ts'

export function applySuspect(state: State, suspect: Suspect): void {
  const member = state.members.get(suspect.node)
  if (member === state.self && isFresher(member.incarnation, suspect.incarnation))
    return remindAccuser(state, suspect.from)
  if (member === undefined || isFresher(member.incarnation, suspect.incarnation)) return
  if (member.suspicion !== undefined) {
    if (!member.suspicion.confirm(suspect.from)) return
    wakeBy(state, member.suspicion.deadline)
    state.news.queue(member.name, encodeMessage(suspect))
    return
  }
  if (member.status !== 'alive') return
  if (member === state.self) return refuteAccusation(state, suspect.incarnation)
  member.incarnation = suspect.incarnation
  setStatus(state, member, 'suspect')
  const bounds = suspicionBounds(state.config, state.roster.length, voicesAbout(state, member))
  setSuspicion(state, member, createSuspicion(state.now, suspect.from, bounds))
  state.stats.suspicions++
  state.news.queue(member.name, encodeMessage(suspect))
  announce(state, member, 'alive')
}

/** Mere names accuse nobody; waiting for them would make a suspicion last six times as long as it has to. */
function voicesAbout({ roster, self }: State, suspect: KnownMember): number {
  return roster.filter(member => member.answered && member !== suspect && member !== self).length
}
