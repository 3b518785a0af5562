/**
 * The memory of those who left or died. They stay known for a day, so that old news cannot bring them back and the dead
 * can be tried again, but after half a minute they no longer count as part of the cluster.
 */
import { sweepRoster } from './peers.ts'
import { emit, isLive } from './state.ts'
import type { KnownMember, State } from './state.ts'

/** Whether the member still belongs into gossip, into the walk, and into every formula that counts members. */
export function isListed(state: State, member: KnownMember): boolean {
  return isLive(member) || state.now - member.statusSince <= state.config.gossipToTheDeadMs
}

/** Unlists those departed for a while and forgets those departed for long. */
export function sweepDeparted(state: State): void {
  sweepRoster(state, member => member === state.self || isListed(state, member))
  for (const member of state.members.values()) {
    if (member === state.self || isLive(member)) continue
    if (state.now - member.statusSince > state.config.forgetAfterMs) forget(state, member)
  }
}

/** Makes room for a new name; false when everybody known is live. Mere names go before members that had once answered. */
export function forgetLongestDeparted(state: State): boolean {
  let longest: KnownMember | undefined
  for (const member of state.members.values()) {
    if (member === state.self || isLive(member)) continue
    if (longest === undefined || isLessWorth(member, longest)) longest = member
  }
  if (longest === undefined) return false
  forget(state, longest)
  return true
}

function isLessWorth(a: KnownMember, b: KnownMember): boolean {
  return a.answered === b.answered ? a.statusSince < b.statusSince : b.answered
}

function forget(state: State, gone: KnownMember): void {
  state.members.delete(gone.name)
  if (gone.listed) sweepRoster(state, member => member !== gone)
  emit(state, { kind: 'memberForgotten', name: gone.name })
}
