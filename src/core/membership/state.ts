/**
 * Everything the machine owns, and the few primitive ways to change it. Mutable inside the machine for speed; what leaves
 * it is always a copy. No rule of the protocol is decided here.
 * Invariants: `roster` holds exactly the known members that are alive, suspect or recently departed, ourselves included,
 * each once; `suspects` those with a running suspicion; no deadline lies before `wakeAt`.
 */
import { byText } from '../../kernel/units.ts'
import type { Address, Millis } from '../../kernel/units.ts'
import type { Prng } from '../../kernel/prng.ts'
import { createAwareness } from './awareness.ts'
import type { Awareness } from './awareness.ts'
import { createBroadcasts } from './broadcasts.ts'
import type { Broadcasts } from './broadcasts.ts'
import { addressFilter } from './cidr.ts'
import type { AddressFilter } from './cidr.ts'
import type { Security } from './cipher.ts'
import type { MembershipConfig } from './config.ts'
import { createProtection } from './protection.ts'
import type { Protection } from './protection.ts'
import { createNameBudget } from './name-budget.ts'
import type { NameBudget } from './name-budget.ts'
import type { StreamDecoder } from './stream-codec.ts'
import type { Suspicion } from './suspicion.ts'
import { noStats } from './types.ts'
import type { Application, Member, MemberStatus, MembershipStats, Output, RefusalReason, StreamId } from './types.ts'

export interface MembershipSettings {
  readonly name: string
  /** What peers are told. */
  readonly address: Address
  readonly meta: Uint8Array
  readonly config: MembershipConfig
  /** Clusters that meet by accident stay apart when their labels differ. Empty: none, as old peers need it. */
  readonly label?: string
  /** Without it everything is in clear. */
  readonly security?: Security
}

/** A member as the machine keeps it. */
export type KnownMember = { -readonly [Field in keyof Member]: Member[Field] } & {
  suspicion: Suspicion | undefined
  listed: boolean
  /** It has spoken to us itself since it came to this address; see newcomers.ts. */
  answered: boolean
  conflictReportedAt: Millis
}

/** One round of probing one member. */
export interface Probe {
  readonly seqNo: number
  readonly target: KnownMember
  /** As it was when the round began: an accusation must not hit a member that has refuted in between. */
  readonly incarnation: number
  phase: 'direct' | 'indirect'
  directUntil: Millis
  deadline: Millis
  nacksExpected: number
  nacksHeard: number
  /** The fallback ping over TCP was answered. */
  reachedByStream: boolean
}

/** A ping on somebody else's behalf. */
export interface Relay {
  readonly seqNo: number
  readonly asker: Address
  /** Undefined: no nack is wanted, or it was sent. */
  nackAt: Millis | undefined
  readonly deadline: Millis
}

/** What a stream is for. */
export type Errand =
  | { readonly kind: 'inbound' }
  | { readonly kind: 'pushPull'; readonly join: boolean }
  | { readonly kind: 'ping'; readonly seqNo: number; readonly node: string }
  | { readonly kind: 'user'; readonly message: Uint8Array }

/** A stream in progress. */
export type Exchange = Errand & {
  readonly peer: Address
  deadline: Millis
  readonly decoder: StreamDecoder
  /** As it was when the stream began, for both directions. */
  readonly protection: Protection
  /** What has arrived of it; counted where others opened it. */
  heldBytes: number
}

export interface State {
  readonly config: MembershipConfig
  readonly application: Application
  readonly prng: Prng
  readonly self: KnownMember
  /** Of packets and of streams that begin now. */
  protection: Protection
  phase: 'new' | 'running' | 'leaving' | 'left'
  now: Millis
  /** A lower bound of every deadline: a tick too early does nothing and finds the exact one. */
  wakeAt: Millis
  readonly due: { probe: Millis; gossip: Millis; pushPull: Millis; reconnect: Millis }
  outputs: Output[]
  readonly members: Map<string, KnownMember>
  roster: KnownMember[]
  /** Next place of the probe walk through the roster. */
  cursor: number
  /** Rounds that members who never answered may still take of this walk. */
  strangersLeft: number
  /** How many of the roster have answered us; kept by `setAnswered`, `enlist` and `sweepRoster`. */
  answering: number
  readonly suspects: Set<KnownMember>
  seqNo: number
  probe: Probe | undefined
  readonly relays: Map<number, Relay>
  readonly exchanges: Map<StreamId, Exchange>
  inboundStreams: number
  inboundBytes: number
  streamsOpened: number
  /** New names that others may still bring up. */
  readonly newNames: NameBudget
  /** Which addresses may speak, and be spoken of. */
  readonly allows: AddressFilter
  /** Every answer to a twin adds its interval here; too far in the future means too many answers. */
  twinPaidUntil: Millis
  readonly awareness: Awareness
  /** About members; named after the member, so the newest word about each replaces the older. */
  readonly news: Broadcasts
  readonly userNews: Broadcasts
  readonly stats: { -readonly [Field in keyof Omit<MembershipStats, 'healthScore' | 'queueDepth'>]: number }
}

export function createState(settings: MembershipSettings, application: Application, prng: Prng): State {
  const { config, name, address, meta } = settings
  const versions = Uint8Array.from(config.versions)
  const self = createMember({ name, address, meta, versions, incarnation: 0, status: 'alive', statusSince: 0 })
  self.listed = true
  return {
    config,
    application,
    prng,
    self,
    protection: createProtection(settings.label, settings.security),
    phase: 'new',
    now: 0,
    wakeAt: Number.POSITIVE_INFINITY,
    due: { probe: 0, gossip: 0, pushPull: 0, reconnect: 0 },
    outputs: [],
    members: new Map([[name, self]]),
    roster: [self],
    cursor: 0,
    strangersLeft: config.strangersPerWalkMin,
    answering: 0,
    suspects: new Set(),
    // A random start: an answer meant for our predecessor on this address is nobody's answer.
    seqNo: prng.below(0x1_0000_0000),
    probe: undefined,
    relays: new Map(),
    exchanges: new Map(),
    inboundStreams: 0,
    inboundBytes: 0,
    streamsOpened: 0,
    newNames: createNameBudget(config.newNamesRefillMs),
    allows: addressFilter(config.allowedSources),
    twinPaidUntil: Number.NEGATIVE_INFINITY,
    awareness: createAwareness(config.awarenessMax),
    news: createBroadcasts(config.broadcastsMax),
    userNews: createBroadcasts(config.broadcastsMax),
    stats: { ...noStats },
  }
}

export function createMember(member: Member): KnownMember {
  return {
    ...member,
    suspicion: undefined,
    listed: false,
    answered: false,
    conflictReportedAt: Number.NEGATIVE_INFINITY,
  }
}

export function emit(state: State, output: Output): void {
  state.outputs.push(output)
}

/** A flood of one kind is told once, with its number. */
export function refuse(state: State, from: Address, reason: RefusalReason, detail: string): void {
  const last = state.outputs.at(-1)
  if (last?.kind !== 'refused' || last.from !== from || last.reason !== reason)
    return emit(state, { kind: 'refused', from, reason, detail })
  state.outputs[state.outputs.length - 1] = { ...last, count: (last.count ?? 1) + 1 }
}

/** Says that something falls due then. */
export function wakeBy(state: State, deadline: Millis): void {
  if (deadline < state.wakeAt) state.wakeAt = deadline
}

export function isLive(member: KnownMember): boolean {
  return member.status === 'alive' || member.status === 'suspect'
}

/** Highest protocol version the member understands; 0 when it never said. */
export function protocolOf(member: KnownMember | undefined): number {
  return member?.versions[1] ?? 0
}

export function snapshot(member: KnownMember): Member {
  const { name, address, meta, incarnation, status, statusSince, versions } = member
  return { name, address, meta, incarnation, status, statusSince, versions }
}

export function announce(state: State, member: KnownMember, previous: MemberStatus | undefined): void {
  emit(state, { kind: 'memberChanged', member: snapshot(member), previous })
}

export function setStatus(state: State, member: KnownMember, status: MemberStatus): void {
  if (member.status === status) return
  member.status = status
  member.statusSince = state.now
}

export function setAnswered(state: State, member: KnownMember, answered: boolean): void {
  if (member.answered === answered) return
  member.answered = answered
  if (member.listed) state.answering += answered ? 1 : -1
}

export function setSuspicion(state: State, member: KnownMember, suspicion: Suspicion | undefined): void {
  member.suspicion = suspicion
  if (suspicion === undefined) state.suspects.delete(member)
  else {
    state.suspects.add(member)
    wakeBy(state, suspicion.deadline)
  }
}

export function byName(a: Member, b: Member): number {
  return byText(a.name, b.name)
}
