/**
 * Trying the dead again. Each side of a long partition holds the other for dead and neither would ever speak first, so
 * now and then one dead member, chosen at random, is pinged with what we hold against it (it refutes in one round trip)
 * and offered a push/pull (it learns what we hold, and we what it holds against us). Also keeps the memory tidy.
 */
import { next } from './counter.ts'
import { sweepDeparted } from './departed.ts'
import { pickPeers } from './peers.ts'
import { ourselves, withAccusation } from './probe.ts'
import { startPushPull } from './push-pull.ts'
import { sendPacket } from './send.ts'
import { protocolOf, wakeBy } from './state.ts'
import type { KnownMember, State } from './state.ts'

export function runReconnect(state: State): void {
  if (state.due.reconnect > state.now) return
  state.due.reconnect = state.now + state.config.reconnectIntervalMs
  wakeBy(state, state.due.reconnect)
  if (state.phase !== 'running') return
  sweepDeparted(state)
  for (const member of pickPeers(deadWorthATry(state), 1, state.prng, () => true)) {
    // Nobody waits for this answer: its point is the news that ride with it.
    state.seqNo = next(state.seqNo)
    const ping = { seqNo: state.seqNo, node: member.name, source: ourselves(state) }
    sendPacket(state, member.address, withAccusation(state, { kind: 'ping', ...ping }, member), protocolOf(member))
    startPushPull(state, member.address, false)
  }
}

/** Every second time one that had answered us, if there is one: it must not get lost among names that never did. */
function deadWorthATry(state: State): KnownMember[] {
  const dead = [...state.members.values()].filter(member => member.status === 'dead')
  const known = dead.filter(member => member.answered)
  return known.length > 0 && state.prng.below(2) === 0 ? known : dead
}
