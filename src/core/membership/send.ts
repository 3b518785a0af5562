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
import { emit, protocolOf } from './state.ts'
import type { KnownMember, State } from './state.ts'

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

/**
 * Sends one packet of news, if there is any for this member. The suspected and the newly dead hear what is said about
 * members, so that one who was only slow can answer. The application's news may leave only so often, and are not spent on
 * them: in a cut that would keep them from members who are there.
 */
export function sendNews(state: State, member: KnownMember): void {
  const parts = takeNews(state, [], member.status === 'alive')
  if (parts.length > 0) send(state, member.address, parts, protocolOf(member))
}

/** News about members first, the application's in what room remains. */
function takeNews(state: State, parts: readonly Uint8Array[], withApplication = true): Uint8Array[] {
  const limit = retransmitLimit(state.config.retransmitMult, state.roster.length)
  const room = state.config.packetBudgetBytes - crcBytes - compoundHeaderBytes - sizeOf(parts)
  const news = state.news.take(room, compoundPartBytes, limit, compoundPartsMax - parts.length)
  if (!withApplication) return news
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
