/**
 * The messages of memberlist's protocol as the machine sees them: names are text, addresses are literals, status is a word.
 * A port that a peer left out (protocol 1) stays 0 here; the machine puts the cluster's own port in its place.
 */
import type { Address } from '../../kernel/units.ts'
import type { Member, RefusalReason } from './types.ts'

/** The first byte of every message. */
export const messageType = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compressed: 9,
  encrypted: 10,
  nack: 11,
  hasCrc: 12,
  error: 13,
  hasLabel: 244,
} as const

/** Where to answer a probe. Very old peers do not say; then the packet's own source address has to do. */
export interface ProbeSource {
  readonly address: Address
  /** Empty when not told. */
  readonly node: string
}

/** `node` is who we mean to reach; empty means whoever is there. */
export interface Ping {
  readonly kind: 'ping'
  readonly seqNo: number
  readonly node: string
  readonly source?: ProbeSource
}

export interface IndirectPing {
  readonly kind: 'indirectPing'
  readonly seqNo: number
  readonly target: Address
  readonly node: string
  readonly wantsNack: boolean
  readonly source?: ProbeSource
}

export interface Ack {
  readonly kind: 'ack'
  readonly seqNo: number
  readonly payload: Uint8Array
}

/** An indirect probe failed, but the one who was asked is there. */
export interface Nack {
  readonly kind: 'nack'
  readonly seqNo: number
}

/** `from` says so about `node`; empty when a peer did not tell. */
export interface Suspect {
  readonly kind: 'suspect'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

/** `from` equal to `node` means it left. */
export interface Dead {
  readonly kind: 'dead'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

export interface Alive {
  readonly kind: 'alive'
  readonly incarnation: number
  readonly node: string
  readonly address: Address
  readonly meta: Uint8Array
  /** As in `Member`, possibly shorter: a peer may send none. Never longer than six. */
  readonly versions: Uint8Array
}

export interface User {
  readonly kind: 'user'
  readonly bytes: Uint8Array
}

/** One node in a push/pull; a `Member` can stand in for it. */
export type NodeState = Omit<Member, 'statusSince'>

export interface PushPull {
  readonly kind: 'pushPull'
  readonly join: boolean
  readonly nodes: readonly NodeState[]
  readonly userState: Uint8Array
}

export interface StreamUser {
  readonly kind: 'streamUser'
  readonly bytes: Uint8Array
}

/** A peer's answer to a push/pull it did not accept. */
export interface StreamFailure {
  readonly kind: 'error'
  readonly text: string
}

/** What travels in packets. */
export type PacketMessage = Ping | IndirectPing | Ack | Nack | Suspect | Dead | Alive | User

/** What travels on streams. */
export type StreamMessage = Ping | Ack | PushPull | StreamUser | StreamFailure

export type Message = PacketMessage | StreamMessage

/** Why bytes were not taken; `detail` is for people. */
export interface Refusal {
  readonly reason: RefusalReason
  readonly detail: string
}
