import { expect, test } from 'vitest'
import { metricCatalogue } from '../../ports/metrics.ts'
import { promMetrics } from './prom-metrics.ts'

test('every metric of the catalogue is registered under Prometheus naming rules', async () => {
  const text = await promMetrics().text()
  for (const [name, { kind, help }] of Object.entries(metricCatalogue)) {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}`)
    expect(name).toMatch(kind === 'counter' ? /^constellation_[a-z_]+_total$/ : /^constellation_[a-z_]+(?<!_total)$/)
  }
})

test('counts add up, gauges replace, and both come out as text and as JSON', async () => {
  const metrics = promMetrics()
  metrics.count('constellation_gossip_packets_total', { direction: 'in' })
  metrics.count('constellation_gossip_packets_total', { direction: 'in' }, 4)
  metrics.gauge('constellation_view_revision', 3)
  metrics.gauge('constellation_view_revision', 7)
  const text = await metrics.text()
  expect(text).toContain('constellation_gossip_packets_total{direction="in"} 5')
  expect(text).toContain('constellation_view_revision 7')
  const json = await metrics.json()
  expect(json['constellation_gossip_packets_total']).toEqual([{ labels: { direction: 'in' }, value: 5 }])
  expect(json['process_resident_memory_bytes']?.[0]?.value).toBeGreaterThan(0)
})

test('two agents in one process count apart', async () => {
  const [one, other] = [promMetrics(), promMetrics()]
  one.gauge('constellation_view_revision', 9)
  expect((await other.json())['constellation_view_revision']).toEqual([{ labels: {}, value: 0 }])
})

test('a counter used as a gauge, or with a label nobody declared, is a bug', () => {
  const metrics = promMetrics()
  expect(() => metrics.gauge('constellation_restarts_total', 1)).toThrow('invariant')
  expect(() => metrics.count('constellation_restarts_total', { colour: 'red' })).toThrow('colour')
})

test('a value that is no number stays in the text, which can say so, and out of the JSON', async () => {
  const metrics = promMetrics()
  metrics.gauge('constellation_gossip_members', Number.NaN, { status: 'alive' })
  metrics.gauge('constellation_gossip_members', 3, { status: 'dead' })
  expect(await metrics.text()).toContain('constellation_gossip_members{status="alive"} Nan')
  expect((await metrics.json())['constellation_gossip_members']).toEqual([{ labels: { status: 'dead' }, value: 3 }])
})
