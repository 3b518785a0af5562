/**
 * The values of the knobs, one set per kind of network. Timing is memberlist's own for LAN, WAN and loopback; what is ours
 * is marked by its reason. All members of a cluster need the same one: a suspicion must last as long everywhere.
 */
import type { MembershipConfig } from './config.ts'
import { defaultStreamLimits, metaBytesMax } from './limits.ts'

export type MembershipProfile = 'tailnet' | 'lan' | 'wan' | 'local'

/**
 * A WireGuard mesh, and the default. LAN timing holds there too: a relay adds 200 to 300 ms to a round trip, which the
 * 500 ms of a direct ping still cover; a worse moment costs an indirect round, for which 500 ms more are left, and only
 * then a suspicion, which the accused has 4 s to answer.
 */
const tailnet: MembershipConfig = Object.freeze<MembershipConfig>({
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  awarenessMax: 8,
  // Half a probe timeout: standing still for longer could cost the other side its answer.
  stallMs: 250,
  // The same, as seen by the runtime's own clock of lateness.
  runtimeDelayMs: 250,
  gossipIntervalMs: 200,
  gossipFanOut: 3,
  gossipToTheDeadMs: 30_000,
  retransmitMult: 4,
  // What a hundred members need anyway. Whoever is told at random n times by each is left out by all with a chance of
  // e^-n: with the formula's four (below ten members) 15 of 180 changes among five nodes took over two seconds while a
  // fifth of all packets was lost; with its eight (below a hundred) one join in a hundred waited for a push/pull.
  retransmitMin: 12,
  pushPullIntervalMs: 30_000,
  streamTimeoutMs: 10_000,
  // A long partition heals within a minute of its end, for one packet and one connection per node meanwhile.
  reconnectIntervalMs: 30_000,
  forgetAfterMs: 24 * 3_600_000,
  // memberlist says never, by default; but a node that was set up anew has another mesh address and the same name.
  deadReclaimMs: 60_000,
  // In every profile: a mesh has an MTU of 1280, and memberlist's own 1400 would be fragmented on every full packet.
  packetBudgetBytes: 1_200,
  // A packet is filled to its budget before, so compressing it would save bytes but no packet, and cost everybody CPU.
  compressPackets: false,
  // A state is many records that look alike: a fraction of it crosses the mesh, for a millisecond of CPU per 30 s.
  compressStreams: true,
  userBroadcastMaxBytes: 1_100,
  metaMaxBytes: metaBytesMax,
  // Ten times a large cluster; what forged names can do grows with it, see newcomers.ts.
  membersMax: 1_024,
  // A hundred nodes that start at once know each other in four seconds; with half of this some take half a minute.
  newNamesMin: 128,
  newNamesPerMember: 2,
  newNamesRefillMs: 10_000,
  // A small cluster that grows at once still meets everybody within a few walks.
  strangersPerWalkMin: 4,
  allowedSources: [],
  broadcastsMax: 4_096,
  relaysMax: 1_024,
  // memberlist's limit for push/pulls at once.
  inboundStreamsMax: 128,
  // Eight streams of the largest size: a full house of them would be a gigabyte, held for anybody who can connect.
  inboundBytesMax: 64 * 1_024 * 1_024,
  outboundStreamsMax: 128,
  streamLimits: defaultStreamLimits,
  conflictIntervalMs: 10_000,
  twinAnswersMax: 5,
  twinIntervalMs: 2_000,
  versions: [1, 5, 2, 1, 1, 1],
})

export const membershipProfiles: Readonly<Record<MembershipProfile, MembershipConfig>> = Object.freeze({
  tailnet,
  // The same: there is nothing to gain from a shorter timeout while the round lasts a second. A name of its own, so that
  // a configuration says what it means and either may change without the other.
  lan: tailnet,
  wan: Object.freeze<MembershipConfig>({
    ...tailnet,
    // Round trips of a second and bursts of loss are ordinary; failures are found in half a minute instead of six seconds.
    probeIntervalMs: 5_000,
    probeTimeoutMs: 3_000,
    suspicionMult: 6,
    // Fewer rounds over dear links, to one more peer each.
    gossipIntervalMs: 500,
    gossipFanOut: 4,
    // A suspicion may last 30 s and more: whoever was only slow must still be told.
    gossipToTheDeadMs: 60_000,
    pushPullIntervalMs: 60_000,
    // A whole state over a slow and lossy link.
    streamTimeoutMs: 30_000,
  }),
  local: Object.freeze<MembershipConfig>({
    ...tailnet,
    // Loopback answers in microseconds, so 200 ms of silence are news, and one other opinion is enough.
    probeTimeoutMs: 200,
    indirectProbes: 1,
    suspicionMult: 3,
    // Nothing is lost there: fewer repetitions, sooner.
    gossipIntervalMs: 100,
    retransmitMult: 2,
    retransmitMin: 2,
    gossipToTheDeadMs: 15_000,
    pushPullIntervalMs: 15_000,
    streamTimeoutMs: 1_000,
  }),
})

/** Where only the timing of a LAN is wanted and no choice is offered. */
export const lanConfig: MembershipConfig = membershipProfiles.lan
