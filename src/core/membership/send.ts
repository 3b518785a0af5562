/**
 * The one place where packets leave: what has to be said, then as much queued news as the budget still holds.
 * The bytes are final when they leave here; whatever will wrap them (encryption, label) belongs to the codec, and its
 * overhead is to be taken off the budget here.
 * Invariant: no packet exceeds `packetBudgetBytes`.
 */
import type { Address } from '../../kernel/units.ts'
import {
  addCrc,
  compoundHeaderBytes,
  compoundPartBytes,
  compoundPartsMax,
  encodeCompound,
  encodeMessage,
} from './codec.ts'
import type { MembershipConfig } from './config.ts'
import type { PacketMessage } from './messages.ts'
import { retransmitLimit } from './scaling.ts'
import { emit } from './state.ts'
import type { State } from './state.ts'

const crcBytes = 5
/** From this protocol version on a checksum is understood. */
const crcProtocol = 5

/** Whether the largest application broadcast can leave at all; one that never fits would wait for ever. */
export function fitsPacket({ userBroadcastMaxBytes, packetBudgetBytes }: MembershipConfig): boolean {
  const typeByte = 1
  const wrapping = crcBytes + compoundHeaderBytes + compoundPartBytes
  return userBroadcastMaxBytes + typeByte + wrapping <= packetBudgetBytes
}

/** Sends the messages, filled up with news. `protocol` is the receiver's highest version, 0 when unknown. */
export function sendPacket(state: State, to: Address, messages: readonly PacketMessage[], protocol: number): void {
  const parts = messages.map(message => encodeMessage(message))
  send(state, to, [...parts, ...takeNews(state, parts)], protocol)
}

/** Sends one packet of news; false when there are none. */
export function sendNews(state: State, to: Address, protocol: number): boolean {
  const parts = takeNews(state, [])
  if (parts.length === 0) return false
  send(state, to, parts, protocol)
  return true
}

/** News about members first, the application's in what room remains. */
function takeNews(state: State, parts: readonly Uint8Array[]): Uint8Array[] {
  const limit = retransmitLimit(state.config.retransmitMult, state.roster.length)
  const room = state.config.packetBudgetBytes - crcBytes - compoundHeaderBytes - sizeOf(parts)
  const news = state.news.take(room, compoundPartBytes, limit, compoundPartsMax - parts.length)
  const most = compoundPartsMax - parts.length - news.length
  return [...news, ...state.userNews.take(room - sizeOf(news), compoundPartBytes, limit, most)]
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length + compoundPartBytes, 0)
}

function send(state: State, to: Address, parts: readonly Uint8Array[], protocol: number): void {
  const [only] = parts
  const plain = parts.length === 1 && only !== undefined ? only : encodeCompound(parts)
  const bytes = protocol >= crcProtocol ? addCrc(plain) : plain
  state.stats.packetsSent++
  state.stats.bytesSent += bytes.length
  emit(state, { kind: 'sendPacket', to, bytes })
}
