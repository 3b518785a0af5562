/**
 * Speaking for ourselves: only a member raises its own incarnation, and that is how it answers every rumour about itself.
 * Traffic is bounded however often we are accused: one broadcast about us is queued at a time and leaves in gossip rounds,
 * and an old accusation costs one packet.
 */
import { encodeMessage } from './codec.ts'
import { beyond, next } from './counter.ts'
import type { Alive } from './messages.ts'
import { sendAnswer } from './send.ts'
import { isLive, protocolOf } from './state.ts'
import type { State } from './state.ts'

export function aliveAboutUs(state: State): Alive {
  const { name: node, address, meta, incarnation, versions } = state.self
  return { kind: 'alive', node, address, meta, incarnation, versions }
}

/** Our first word, and every change of ours. */
export function tellOfUs(state: State): void {
  state.self.incarnation = next(state.self.incarnation)
  state.news.queue(state.self.name, encodeMessage(aliveAboutUs(state)))
}

/** Outbids what was said about us at the incarnation `accused`. */
export function refute(state: State, accused: number): void {
  state.self.incarnation = beyond(state.self.incarnation, accused)
  state.stats.refutations++
  state.news.queue(state.self.name, encodeMessage(aliveAboutUs(state)))
}

/** Somebody misses our answers: perhaps we are the slow one, so we also judge others more slowly for a while. */
export function refuteAccusation(state: State, accused: number): void {
  state.awareness.adjust(1)
  refute(state, accused)
}

/**
 * The accuser has missed what we answered to this long ago: it is told again, straight. Gossip passes one or the other by
 * when many speak at once, and who goes on suspecting us would call us dead in the end.
 */
export function remindAccuser(state: State, name: string): void {
  const accuser = state.members.get(name)
  if (state.phase !== 'running' || accuser === undefined || accuser === state.self || !isLive(accuser)) return
  sendAnswer(state, accuser.address, [aliveAboutUs(state)], protocolOf(accuser))
}
