/**
 * Numbers that wait to be taken to the other side: increases are added up, of a gauge the last value stays. So what waits is
 * bounded by the number of series, however long it waits.
 */
import type { MetricLabels, MetricName, MetricsSink } from '../../ports/metrics.ts'
import type { MetricData } from './messages.ts'

export interface GatheredMetrics extends MetricsSink {
  take(): { readonly counts: readonly MetricData[]; readonly gauges: readonly MetricData[] }
}

type Series = Map<string, { readonly name: MetricName; readonly labels: MetricLabels; value: number }>

export function gatheredMetrics(onNumber: () => void): GatheredMetrics {
  const counts: Series = new Map()
  const gauges: Series = new Map()

  function change(series: Series, name: MetricName, labels: MetricLabels, next: (before: number) => number): void {
    const key = [name, ...Object.entries(labels).flat()].join('\n')
    const known = series.get(key)
    if (known === undefined) series.set(key, { name, labels, value: next(0) })
    else known.value = next(known.value)
    onNumber()
  }

  return {
    count: (name, labels = {}, by = 1) => change(counts, name, labels, before => before + by),
    gauge: (name, value, labels = {}) => change(gauges, name, labels, () => value),
    take() {
      const taken = { counts: [...counts.values()], gauges: [...gauges.values()] }
      counts.clear()
      gauges.clear()
      return taken
    },
  }
}
