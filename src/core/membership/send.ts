/**
 * The one place where packets leave: what has to be said, then, where we begin, as much queued news as the budget still
 * holds, then what lies around them (wrap.ts), whose overhead is taken off the budget before.
 * Invariant: no packet exceeds `packetBudgetBytes`.
 */
import type { Address } from '../../kernel/units.ts'
import { crcBytes } from './checksum.ts'
import { encodeMessage } from './codec.ts'
import { compoundHeaderBytes, compoundPartBytes, compoundPartsMax, encodeCompound } from './compound.ts'
import type { MembershipConfig } from './config.ts'
import type { PacketMessage } from './messages.ts'
import { createProtection, protectionBytes } from './protection.ts'
import type { Protection } from './protection.ts'
import { retransmitLimit } from './scaling.ts'
import { emit, protocolOf } from './state.ts'
import type { KnownMember, MembershipSettings, State } from './state.ts'
import { wrapPacket } from './wrap.ts'

/** From this protocol version on a checksum is understood. */
const crcProtocol = 5

/** An alive message with the longest name and the most metadata, which is the longest that is said about a member. */
const newsBytesMax = 720

/** Whether news about any member can leave; news that never fit would wait for ever. */
export function fitsPacket(config: MembershipConfig, protection: Protection): boolean {
  return roomBytes(config, protection) - compoundPartBytes >= newsBytesMax
}

/** The largest broadcast of the application that these settings let leave in a packet. */
export function broadcastBytesMax({ config, label, security }: MembershipSettings): number {
  return largestBroadcast(config, createProtection(label, security))
}

export function largestBroadcast(config: MembershipConfig, protection: Protection): number {
  const typeByte = 1
  return Math.min(config.userBroadcastMaxBytes, roomBytes(config, protection) - compoundPartBytes - typeByte)
}

/** What a packet has for messages and their lengths when everything that can lie around them does. */
function roomBytes({ packetBudgetBytes }: MembershipConfig, protection: Protection): number {
  return packetBudgetBytes - protectionBytes(protection) - crcBytes - compoundHeaderBytes
}

/** Sends the messages, filled up with news. `protocol` is the receiver's highest version, 0 when unknown. */
export function sendPacket(state: State, to: Address, messages: readonly PacketMessage[], protocol: number): void {
  const parts = messages.map(message => encodeMessage(message))
  send(state, to, [...parts, ...takeNews(state, to, parts)], protocol)
}

/** The same for answers. They carry no news: whoever asks often would use them up before others have heard them. */
export function sendAnswer(state: State, to: Address, messages: readonly PacketMessage[], protocol: number): void {
  send(
    state,
    to,
    messages.map(message => encodeMessage(message)),
    protocol,
  )
}

/** Sends one packet of news, if there is any. */
export function sendNews(state: State, member: KnownMember): void {
  const parts = takeNews(state, member.address, [])
  if (parts.length > 0) send(state, member.address, parts, protocolOf(member))
}

/** News about members first, the application's in what room remains. */
function takeNews(state: State, to: Address, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const { retransmitMult, retransmitMin } = state.config
  const limit = Math.max(retransmitMin, retransmitLimit(retransmitMult, state.roster.length))
  const room = roomBytes(state.config, state.protection) - sizeOf(parts)
  const news = state.news.take(room, compoundPartBytes, limit, compoundPartsMax - parts.length)
  if (state.userNews.length === 0) return news
  const most = compoundPartsMax - parts.length - news.length
  const onFirst = (name: string): void => emit(state, { kind: 'newsSent', name, to })
  return [...news, ...state.userNews.take(room - sizeOf(news), compoundPartBytes, limit, most, onFirst)]
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length + compoundPartBytes, 0)
}

function send(state: State, to: Address, parts: readonly Uint8Array[], protocol: number): void {
  const [only] = parts
  const message = parts.length === 1 && only !== undefined ? only : encodeCompound(parts)
  const { protection, config } = state
  const wrapping = { protection, compress: config.compressPackets, checksum: protocol >= crcProtocol }
  const bytes = wrapPacket(message, wrapping)
  state.stats.packetsSent++
  state.stats.bytesSent += bytes.length
  emit(state, { kind: 'sendPacket', to, bytes })
}
