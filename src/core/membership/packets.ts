/**
 * What a packet does. Messages are handled at once and in the order they lie in it; there is no queue behind the socket
 * that could overflow, starve the answers to probes or reorder. Other implementations hand gossip on last-in-first-out,
 * so nothing may depend on the order anyway: rules compare incarnations, and applications must compare versions.
 */
import type { Address } from '../../kernel/units.ts'
import { sameAddress } from '../../kernel/units.ts'
import { unreachable } from '../../kernel/invariant.ts'
import { applyAlive } from './alive-rule.ts'
import { decodePacket } from './codec.ts'
import { applyDead } from './dead-rule.ts'
import type { PacketMessage, Ping } from './messages.ts'
import { probeAcked, probeNacked, withAccusation } from './probe.ts'
import { relayAck, serveIndirectPing } from './relay.ts'
import { sendAnswer } from './send.ts'
import { emit, protocolOf, refuse } from './state.ts'
import type { State } from './state.ts'
import { applySuspect } from './suspect-rule.ts'

const nothing = new Uint8Array(0)

export function receivePacket(state: State, from: Address, bytes: Uint8Array): void {
  state.stats.packetsReceived++
  state.stats.bytesReceived += bytes.length
  if (!state.allows(from.ip)) return refuse(state, from, 'foreignSource', 'a packet')
  const { messages, refusals } = decodePacket(bytes, state.protection)
  for (const message of messages) receive(state, from, message)
  for (const { reason, detail } of refusals) refuse(state, from, reason, detail)
}

function receive(state: State, from: Address, message: PacketMessage): void {
  switch (message.kind) {
    case 'ping':
      return answerPing(state, message, from)
    case 'indirectPing':
      return serveIndirectPing(state, message, from)
    case 'ack':
      if (!probeAcked(state, message.seqNo)) relayAck(state, message.seqNo)
      return
    case 'nack':
      return probeNacked(state, message.seqNo)
    case 'suspect':
      return applySuspect(state, message)
    case 'dead':
      return applyDead(state, message)
    case 'alive':
      return applyAlive(state, message, from)
    case 'user':
      return emit(state, { kind: 'userMessage', from, bytes: message.bytes, via: 'packet' })
    default:
      return unreachable(message)
  }
}

/** A ping for another name is for whoever was at this address before us: silence is the right answer. */
function answerPing(state: State, { node, seqNo, source }: Ping, from: Address): void {
  if (node !== '' && node !== state.self.name) return
  const to = source?.address ?? from
  if (!state.allows(to.ip)) return refuse(state, from, 'foreignSource', `a ping to be answered to ${to.ip}`)
  const sender = source === undefined ? undefined : state.members.get(source.node)
  // An impostor under a member's name must not be answered as that member.
  const member = sender !== undefined && sameAddress(sender.address, to) ? sender : undefined
  sendAnswer(state, to, withAccusation(state, { kind: 'ack', seqNo, payload: nothing }, member), protocolOf(member))
}
