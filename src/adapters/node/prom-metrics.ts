/**
 * The metrics over prom-client, in a registry of their own, with the usual numbers of the process beside ours.
 * Registers exactly the catalogue; a label that the catalogue does not name is a bug and throws.
 */
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import { invariant } from '../../kernel/invariant.ts'
import { metricCatalogue, type MetricLabels, type MetricName, type Metrics } from '../../ports/metrics.ts'

/**
 * Milliseconds between looks at the event loop. The library's 10 wake an idle agent a hundred times a second, which costs
 * 0.4 % of a core; with 100 it is 0.06 %, and `nodejs_eventloop_lag_*` includes that much of the timer itself.
 */
const eventLoopMonitoringPrecision = 100

interface Sample {
  readonly labels: MetricLabels
  readonly value: number
}

export function promMetrics(): Metrics {
  const registry = new Registry()
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  for (const [name, { kind, labels, help }] of Object.entries(metricCatalogue)) {
    const settings = { name, help, labelNames: [...labels], registers: [registry] }
    if (kind === 'counter') counters.set(name, new Counter(settings))
    else gauges.set(name, new Gauge(settings))
  }
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision })

  return {
    count(name: MetricName, labels: MetricLabels = {}, by = 1) {
      const counter = counters.get(name)
      invariant(counter, `${name} is a counter`)
      counter.inc(labels, by)
    },
    gauge(name: MetricName, value: number, labels: MetricLabels = {}) {
      const gauge = gauges.get(name)
      invariant(gauge, `${name} is a gauge`)
      gauge.set(labels, value)
    },
    text: () => registry.metrics(),
    async json() {
      const grouped: Record<string, Sample[]> = {}
      for (const metric of await registry.getMetricsAsJSON()) {
        for (const sample of metric.values) {
          // JSON has no NaN; the event loop's statistics are that while there are no samples.
          if (!Number.isFinite(sample.value)) continue
          // A histogram's samples carry names of their own (`..._bucket`); the type of the library leaves that out.
          const name = 'metricName' in sample ? String(sample.metricName) : metric.name
          ;(grouped[name] ??= []).push({ labels: textLabels(sample.labels), value: sample.value })
        }
      }
      return grouped
    },
  }
}

function textLabels(labels: Readonly<Record<string, unknown>>): MetricLabels {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]))
}
