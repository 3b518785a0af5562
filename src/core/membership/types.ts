/**
 * The words of the membership machine: what it is told (inputs), what it wants done (outputs), what it knows (members).
 * SWIM with HashiCorp memberlist's wire format and rules (protocol 2 to 5). Pure: time arrives inside inputs, every
 * effect leaves as an output, randomness comes from a seeded generator, so one seed replays any run.
 */
import type { Address, Millis } from '../../kernel/units.ts'
import type { Keyring } from './cipher.ts'

export type MemberStatus = 'alive' | 'suspect' | 'dead' | 'left'

/** What one member is known to be. Only the member itself raises its incarnation; that is what refutes a suspicion. */
export interface Member {
  readonly name: string
  readonly address: Address
  /** Application metadata, at most 512 bytes; ours is a `NodeProfile`, a foreign peer's (serf) is its own. */
  readonly meta: Uint8Array
  readonly incarnation: number
  readonly status: MemberStatus
  /** Monotonic time of the observer at which `status` last changed. */
  readonly statusSince: Millis
  /** pmin, pmax, pcur, dmin, dmax, dcur: protocol and delegate versions as they travel on the wire. */
  readonly versions: Uint8Array
}

/** A stream is one TCP connection for one exchange. Inbound ids come from the adapter, outbound ids from the core. */
export type StreamId = string

export type Input =
  | { readonly kind: 'started'; readonly now: Millis }
  | { readonly kind: 'packetReceived'; readonly now: Millis; readonly from: Address; readonly bytes: Uint8Array }
  /** Sending failed in a way that says the other side is not there (EHOSTUNREACH, ECONNREFUSED). */
  | { readonly kind: 'packetUndeliverable'; readonly now: Millis; readonly to: Address }
  | { readonly kind: 'streamAccepted'; readonly now: Millis; readonly stream: StreamId; readonly from: Address }
  | { readonly kind: 'streamConnected'; readonly now: Millis; readonly stream: StreamId }
  | { readonly kind: 'streamData'; readonly now: Millis; readonly stream: StreamId; readonly bytes: Uint8Array }
  /** The other side ended, reset or could not be reached; after this the id is never used again. */
  | { readonly kind: 'streamClosed'; readonly now: Millis; readonly stream: StreamId; readonly reason?: string }
  | { readonly kind: 'tick'; readonly now: Millis }
  /** Push/pull with each address; the outcome of every address comes back as `joinFinished`. */
  | { readonly kind: 'join'; readonly now: Millis; readonly addresses: readonly Address[] }
  /** Announce departure; `leaveFinished` follows when it was transmitted to its limit or nobody is there to hear it. */
  | { readonly kind: 'leave'; readonly now: Millis }
  | { readonly kind: 'metaChanged'; readonly now: Millis; readonly meta: Uint8Array }
  /** Queue application bytes for gossip. A later broadcast of the same name replaces an earlier one. */
  | { readonly kind: 'broadcast'; readonly now: Millis; readonly name: string; readonly message: Uint8Array }
  /** What of these is still queued is not sent any more. */
  | { readonly kind: 'broadcastsWithdrawn'; readonly now: Millis; readonly names: readonly string[] }
  /** Too large for a packet: one TCP user message to every alive member. */
  | { readonly kind: 'broadcastReliably'; readonly now: Millis; readonly message: Uint8Array }
  /** One TCP user message to up to `count` of these, alive or suspect, at random; to those that are surely there first. */
  | {
      readonly kind: 'sendToSome'
      readonly now: Millis
      readonly among: readonly string[]
      readonly count: number
      readonly message: Uint8Array
    }
  /** One TCP user message to one alive member, by name; to anybody else it is not sent. */
  | {
      readonly kind: 'sendReliably'
      readonly now: Millis
      readonly to: string
      readonly message: Uint8Array
      /** Whoever asked for it in that name; must have the member's ip. */
      readonly askedFrom?: Address
    }
  /** From now on these keys are used; streams in progress end with the keys they began with. */
  | { readonly kind: 'keyringChanged'; readonly now: Millis; readonly keyring: Keyring }
  /** The thread we run in served its timers this late (99th percentile of the last second): we may be the slow one. */
  | { readonly kind: 'runtimeDelayed'; readonly now: Millis; readonly delayMs: Millis }

export type Output =
  | { readonly kind: 'sendPacket'; readonly to: Address; readonly bytes: Uint8Array }
  | { readonly kind: 'dialStream'; readonly stream: StreamId; readonly to: Address }
  | { readonly kind: 'writeStream'; readonly stream: StreamId; readonly bytes: Uint8Array }
  /** End politely after what was written; the adapter forgets the id. */
  | { readonly kind: 'closeStream'; readonly stream: StreamId }
  | { readonly kind: 'memberChanged'; readonly member: Member; readonly previous: MemberStatus | undefined }
  /** Dead or left for long enough to be forgotten. */
  | { readonly kind: 'memberForgotten'; readonly name: string }
  /** Somebody else uses a known name (perhaps ours) at another address. Nothing was changed. */
  | { readonly kind: 'nameConflict'; readonly name: string; readonly known: Address; readonly other: Address }
  | {
      readonly kind: 'userMessage'
      readonly from: Address
      readonly bytes: Uint8Array
      readonly via: 'packet' | 'stream'
    }
  /** A broadcast of the application left for the first time; for those who follow one through the cluster. */
  | { readonly kind: 'newsSent'; readonly name: string; readonly to: Address }
  | { readonly kind: 'remoteState'; readonly from: Address; readonly bytes: Uint8Array; readonly join: boolean }
  /** One push/pull ended; the first good one completes the start-up of the view. */
  | { readonly kind: 'pushPullFinished'; readonly with: Address; readonly ok: boolean; readonly reason?: string }
  | { readonly kind: 'joinFinished'; readonly address: Address; readonly ok: boolean; readonly reason?: string }
  | { readonly kind: 'leaveFinished' }
  /** Something hostile, broken or foreign was refused; counted by reason in a metric, logged at debug. */
  | {
      readonly kind: 'refused'
      readonly from: Address
      readonly reason: RefusalReason
      readonly detail: string
      /** How many alike came at once, `detail` is the first of them; absent: one. */
      readonly count?: number
    }

export type RefusalReason =
  | 'malformed'
  | 'badChecksum'
  | 'unknownType'
  | 'tooLarge'
  | 'tooDeep'
  | 'incompatibleVersion'
  | 'nameTaken'
  /** Encrypted, and we have no key. */
  | 'encrypted'
  /** In clear, and we have a key. */
  | 'plaintext'
  /** No key of ours opens it. */
  | 'badKey'
  /** Carries a label, and we have none. */
  | 'labelled'
  /** Another label than ours, or none. */
  | 'wrongLabel'
  /** From, or about, an address outside the allowed ranges. */
  | 'foreignSource'
  /** More new names than a cluster of this size brings up by itself. */
  | 'tooManyNewNames'
  | 'overflow'
  | 'timeout'

/** What the machine asks of the application while it builds a push/pull; must be pure and quick. */
export interface Application {
  /** The bytes that travel as user state of a push/pull; empty when there is nothing to say. */
  localState(join: boolean): Uint8Array
}

/** Counters since the start; the controller turns them into metrics. */
export interface MembershipStats {
  readonly healthScore: number
  /** News that wait to be told; none while there is nobody to tell. */
  readonly queueDepth: number
  readonly suspicions: number
  readonly refutations: number
  readonly probes: number
  readonly probeFailures: number
  /** Members we suspected, or held for dead, who then refuted it. */
  readonly falsePositives: number
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** Before anything has happened. */
export const noStats: MembershipStats = Object.freeze({
  healthScore: 0,
  queueDepth: 0,
  suspicions: 0,
  refutations: 0,
  probes: 0,
  probeFailures: 0,
  falsePositives: 0,
  packetsSent: 0,
  packetsReceived: 0,
  bytesSent: 0,
  bytesReceived: 0,
})

/** The machine as its controller sees it. `step` mutates what it owns and returns what is to be done, in order. */
export interface Membership {
  step(input: Input): readonly Output[]
  /** The next moment at which a `tick` is due; undefined before `started` and after it has left. */
  nextDeadline(): Millis | undefined
  /** Everybody known, ourselves included, ordered by name. */
  members(): readonly Member[]
  stats(): MembershipStats
}
