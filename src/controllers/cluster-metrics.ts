/** The numbers of the cluster. Counters of the machine are totals; a metric is told what was added since it was last told. */
import type { Member, MembershipStats, MemberStatus } from '../core/membership/index.ts'
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricName, MetricsSink } from '../ports/metrics.ts'

const intervalMs: Millis = 1_000
const statuses: readonly MemberStatus[] = ['alive', 'suspect', 'dead', 'left']

type Total = 'suspicions' | 'refutations' | 'falsePositives' | 'probes' | 'probeFailures'

const totals: readonly (readonly [Total, MetricName])[] = [
  ['suspicions', 'constellation_gossip_suspicions_total'],
  ['refutations', 'constellation_gossip_refutations_total'],
  ['falsePositives', 'constellation_gossip_false_positives_total'],
  ['probes', 'constellation_gossip_probes_total'],
  ['probeFailures', 'constellation_gossip_probe_failures_total'],
]

/** Publishes gauges and differences every second until the answer is called. */
export function reportMembership(
  clock: Clock,
  metrics: MetricsSink,
  look: () => { readonly members: readonly Member[]; readonly stats: MembershipStats },
): () => void {
  let told: Readonly<Record<Total, number>> | undefined
  let disarm = (): void => undefined

  function report(): void {
    const { members, stats } = look()
    for (const status of statuses) {
      const count = members.filter(member => member.status === status).length
      metrics.gauge('constellation_gossip_members', count, { status })
    }
    metrics.gauge('constellation_gossip_health_score', stats.healthScore)
    metrics.gauge('constellation_gossip_queue_depth', stats.queueDepth)
    for (const [total, name] of totals) metrics.count(name, {}, stats[total] - (told?.[total] ?? 0))
    told = stats
    disarm = clock.at(clock.now() + intervalMs, report)
  }

  report()
  return () => disarm()
}

export function countPacket(metrics: MetricsSink, direction: 'sent' | 'received', sizeBytes: number): void {
  metrics.count('constellation_gossip_packets_total', { direction })
  metrics.count('constellation_gossip_bytes_total', { direction }, sizeBytes)
}

export function countStreamBytes(metrics: MetricsSink, direction: 'sent' | 'received', sizeBytes: number): void {
  metrics.count('constellation_gossip_stream_bytes_total', { direction }, sizeBytes)
}
