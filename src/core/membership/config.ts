/**
 * Every knob of the membership machine, each with its unit and its meaning. A frozen value handed in once; nothing here
 * is read twice from different places. The wire itself has no knobs, it is fixed by memberlist's protocol 2 to 5.
 * What they are set to, and why, is in profiles.ts.
 */
import type { Millis } from '../../kernel/units.ts'
import type { StreamDecoderLimits } from './limits.ts'

export interface MembershipConfig {
  /** One probe round per interval. With round-robin order every member is probed within `members x interval`. */
  readonly probeIntervalMs: Millis
  /** How long a direct ping may take before others are asked to try; above the slowest honest round trip. */
  readonly probeTimeoutMs: Millis
  /** How many others are asked. Three rule out one bad link without a burst of traffic. */
  readonly indirectProbes: number
  /** Suspicion lasts at least `mult x log10(n) x probeIntervalMs`; lower finds failures sooner and errs more often. */
  readonly suspicionMult: number
  /** The longest suspicion as a multiple of the shortest; used while nobody else confirms it. */
  readonly suspicionMaxMult: number
  /** Health scores run from 0 to one below this; each point stretches our probe rounds by one interval. */
  readonly awarenessMax: number
  /** A tick later than this says that we, not the others, stood still. */
  readonly stallMs: Millis
  /** Timers served later than this say the same, before we miss an answer. */
  readonly runtimeDelayMs: Millis
  /** How often queued news leave on their own, besides riding on probes. */
  readonly gossipIntervalMs: Millis
  /** To how many members per round. */
  readonly gossipFanOut: number
  /** The dead hear gossip for this long, so that one that was only slow can refute; then they are no longer counted. */
  readonly gossipToTheDeadMs: Millis
  /** A broadcast is sent `mult x ceil(log10(n + 1))` times by each member that has it. */
  readonly retransmitMult: number
  /** And at least this often, however small the cluster is. */
  readonly retransmitMin: number
  /** Whole states are compared with one random member this often up to 32 members, more rarely above. */
  readonly pushPullIntervalMs: Millis
  /** For connecting, and again for the exchange itself. */
  readonly streamTimeoutMs: Millis
  /** One dead member is tried again this often. SWIM alone never heals a partition that outlived the suspicion. */
  readonly reconnectIntervalMs: Millis
  /** The dead are remembered and retried, and the left remembered, for this long; old news cannot revive them meanwhile. */
  readonly forgetAfterMs: Millis
  /** A dead member's name may be used from another address after this; a left one's at once. */
  readonly deadReclaimMs: Millis
  /** Largest packet. The mesh has an MTU of 1280, memberlist's own 1400 would be fragmented on every full packet. */
  readonly packetBudgetBytes: number
  /** Compress packets, and streams, when that makes them smaller. What others send compressed is read in any case. */
  readonly compressPackets: boolean
  readonly compressStreams: boolean
  /** Larger application broadcasts could never leave in a packet. */
  readonly userBroadcastMaxBytes: number
  /** Protocol limit for a member's metadata. */
  readonly metaMaxBytes: number
  /** Memory bound; a new name beyond it first takes the place of the longest departed member, else it is refused. */
  readonly membersMax: number
  /** New names that others may bring up at once without being asked: this many, or `newNamesPerMember`, what is more. */
  readonly newNamesMin: number
  /** Per listed member that has answered us. */
  readonly newNamesPerMember: number
  /** An empty budget of new names is full again after this. */
  readonly newNamesRefillMs: Millis
  /** Members of whom nobody has answered us yet may take this many rounds of a probe walk, or as many as the others do. */
  readonly strangersPerWalkMin: number
  /** CIDR ranges that packets, streams and members may come from; empty: everybody. Must all be readable. */
  readonly allowedSources: readonly string[]
  /** Memory bound of each of the two broadcast queues. */
  readonly broadcastsMax: number
  /** Indirect pings in progress for others. */
  readonly relaysMax: number
  /** Streams others opened to us; memberlist's own limit for push/pull. */
  readonly inboundStreamsMax: number
  /** What all of them together may make us hold; one alone is bounded by `streamLimits`. */
  readonly inboundBytesMax: number
  /** Streams we opened. */
  readonly outboundStreamsMax: number
  /** What a peer may make us hold while a stream lasts. */
  readonly streamLimits: StreamDecoderLimits
  /** A name conflict is reported at most this often per name. */
  readonly conflictIntervalMs: Millis
  /** Answers to a twin, somebody with our name and address: a few at once, as after a restart, then one per interval. */
  readonly twinAnswersMax: number
  readonly twinIntervalMs: Millis
  /** pmin, pmax, pcur, dmin, dmax, dcur as we announce them. The last three belong to the application. */
  readonly versions: readonly [number, number, number, number, number, number]
}
