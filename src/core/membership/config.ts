/**
 * Every knob of the membership machine, each with its unit and its reason. A frozen value handed in once; nothing here
 * is read twice from different places. The wire itself has no knobs, it is fixed by memberlist's protocol 2 to 5.
 */
import type { Millis } from '../../kernel/units.ts'
import { defaultStreamLimits, metaBytesMax } from './limits.ts'
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
  /** How often queued news leave on their own, besides riding on probes. */
  readonly gossipIntervalMs: Millis
  /** To how many members per round. */
  readonly gossipFanOut: number
  /** The dead hear gossip for this long, so that one that was only slow can refute; then they are no longer counted. */
  readonly gossipToTheDeadMs: Millis
  /** A broadcast is sent `mult x ceil(log10(n + 1))` times by each member that has it. */
  readonly retransmitMult: number
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
  /** Larger application broadcasts could never leave in a packet. */
  readonly userBroadcastMaxBytes: number
  /** Protocol limit for a member's metadata. */
  readonly metaMaxBytes: number
  /** Memory bound; a new name beyond it first takes the place of the longest departed member, else it is refused. */
  readonly membersMax: number
  /** Memory bound of each of the two broadcast queues. */
  readonly broadcastsMax: number
  /** Indirect pings in progress for others. */
  readonly relaysMax: number
  /** Streams others opened to us; memberlist's own limit for push/pull. */
  readonly inboundStreamsMax: number
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

/** memberlist's LAN values, with a packet that fits a WireGuard mesh: the default. */
export const lanConfig: MembershipConfig = Object.freeze<MembershipConfig>({
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  awarenessMax: 8,
  stallMs: 250,
  gossipIntervalMs: 200,
  gossipFanOut: 3,
  gossipToTheDeadMs: 30_000,
  retransmitMult: 4,
  pushPullIntervalMs: 30_000,
  streamTimeoutMs: 10_000,
  reconnectIntervalMs: 30_000,
  forgetAfterMs: 24 * 3_600_000,
  deadReclaimMs: 60_000,
  packetBudgetBytes: 1_200,
  userBroadcastMaxBytes: 1_100,
  metaMaxBytes: metaBytesMax,
  membersMax: 10_000,
  broadcastsMax: 4_096,
  relaysMax: 1_024,
  inboundStreamsMax: 128,
  outboundStreamsMax: 128,
  streamLimits: defaultStreamLimits,
  conflictIntervalMs: 10_000,
  twinAnswersMax: 5,
  twinIntervalMs: 2_000,
  versions: [1, 5, 2, 1, 1, 1],
})
