import { expect, test } from 'vitest'
import { noStats } from '../core/membership/index.ts'
import { aMember } from '../testing/builders.ts'
import { recordingMetrics } from '../testing/recording-metrics.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { reportMembership } from './cluster-metrics.ts'

test('totals of the machine become counters that add up, whatever is told in between', () => {
  const clock = new VirtualClock()
  const metrics = recordingMetrics()
  let stats = { ...noStats, probes: 4, suspicions: 1 }
  reportMembership(clock, metrics, () => ({ members: [], stats }))
  stats = { ...stats, probes: 9, probeFailures: 2, falsePositives: 1, refutations: 3 }
  clock.advance(1_000)
  clock.advance(5_000)
  const total = (name: 'probes' | 'probe_failures' | 'suspicions' | 'false_positives' | 'refutations'): number =>
    metrics.value(`constellation_gossip_${name}_total`)
  expect(total('probes')).toBe(9)
  expect(total('probe_failures')).toBe(2)
  expect(total('suspicions')).toBe(1)
  expect(total('false_positives')).toBe(1)
  expect(total('refutations')).toBe(3)
})

test('members are counted by status every second, until the reporting is stopped', () => {
  const clock = new VirtualClock()
  const metrics = recordingMetrics()
  let members = [aMember({ name: 'a' }), aMember({ name: 'b' })]
  const stop = reportMembership(clock, metrics, () => ({ members, stats: { ...noStats, healthScore: 2 } }))
  expect(metrics.value('constellation_gossip_members', { status: 'alive' })).toBe(2)
  members = [aMember({ name: 'a' }), aMember({ name: 'b', status: 'dead' })]
  clock.advance(1_000)
  expect(metrics.value('constellation_gossip_members', { status: 'alive' })).toBe(1)
  expect(metrics.value('constellation_gossip_members', { status: 'dead' })).toBe(1)
  expect(metrics.value('constellation_gossip_health_score')).toBe(2)
  stop()
  expect(clock.pendingTimers).toBe(0)
})
