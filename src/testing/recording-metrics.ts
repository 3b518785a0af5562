/** Metrics that keep their numbers in a map, keyed `name{label=value,...}`. */
import { byText } from '../kernel/units.ts'
import type { MetricLabels, MetricName, Metrics } from '../ports/metrics.ts'

export interface RecordingMetrics extends Metrics {
  value(name: MetricName, labels?: MetricLabels): number
}

export function recordingMetrics(): RecordingMetrics {
  const values = new Map<string, { name: MetricName; labels: MetricLabels; value: number }>()
  const keyOf = (name: MetricName, labels: MetricLabels): string => {
    const pairs = Object.entries(labels).sort(([a], [b]) => byText(a, b))
    return `${name}{${pairs.map(([label, value]) => `${label}=${value}`).join(',')}}`
  }
  const set = (name: MetricName, labels: MetricLabels, change: (old: number) => number): void => {
    const key = keyOf(name, labels)
    values.set(key, { name, labels, value: change(values.get(key)?.value ?? 0) })
  }
  return {
    count: (name, labels = {}, by = 1) => set(name, labels, old => old + by),
    gauge: (name, value, labels = {}) => set(name, labels, () => value),
    value: (name, labels = {}) => values.get(keyOf(name, labels))?.value ?? 0,
    text: () => Promise.resolve([...values].map(([key, entry]) => `${key} ${entry.value}\n`).join('')),
    json: () => {
      const grouped: Record<string, { labels: MetricLabels; value: number }[]> = {}
      for (const { name, labels, value } of values.values()) (grouped[name] ??= []).push({ labels, value })
      return Promise.resolve(grouped)
    },
  }
}
