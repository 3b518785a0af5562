/** The numbers of the cluster. Counters of the machine are totals; a metric is told what was added since it was last told. */
import type { Member, MembershipStats, MemberStatus } from '../core/membership/index.ts'
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSink } from '../ports/metrics.ts'

const intervalMs: Millis = 1_000
const statuses: readonly MemberStatus[] = ['alive', 'suspect', 'dead', 'left']

/** Publishes gauges and differences every second until the answer is called. */
export function reportMembership(
  clock: Clock,
  metrics: MetricsSink,
  look: () => { readonly members: readonly Member[]; readonly stats: MembershipStats },
): () => void {
  let suspicions = 0
  let refutations = 0
  let disarm = (): void => undefined

  function report(): void {
    const { members, stats } = look()
    for (const status of statuses) {
      const count = members.filter(member => member.status === status).length
      metrics.gauge('constellation_gossip_members', count, { status })
    }
    metrics.gauge('constellation_gossip_health_score', stats.healthScore)
    metrics.gauge('constellation_gossip_queue_depth', stats.queueDepth)
    metrics.count('constellation_gossip_suspicions_total', {}, stats.suspicions - suspicions)
    metrics.count('constellation_gossip_refutations_total', {}, stats.refutations - refutations)
    suspicions = stats.suspicions
    refutations = stats.refutations
    disarm = clock.at(clock.now() + intervalMs, report)
  }

  report()
  return () => disarm()
}

export function countPacket(metrics: MetricsSink, direction: 'sent' | 'received', sizeBytes: number): void {
  metrics.count('constellation_gossip_packets_total', { direction })
  metrics.count('constellation_gossip_bytes_total', { direction }, sizeBytes)
}
