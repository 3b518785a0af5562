/** What is said about a series of measurements. Figures are rounded where they leave, never before. */

export interface Summary {
  readonly runs: number
  readonly mean: number
  readonly median: number
  readonly p90: number
  readonly p99: number
  readonly min: number
  readonly max: number
}

/** The smallest value that at least this share of all values does not exceed (nearest rank); NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** The middle value, or half-way between the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const [below, above] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  return below === undefined || above === undefined ? Number.NaN : (below + above) / 2
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** `digits` after the point. */
export function summarise(values: readonly number[], digits = 0): Summary {
  const round = (value: number): number => rounded(value, digits)
  return {
    runs: values.length,
    mean: round(mean(values)),
    median: round(median(values)),
    p90: round(percentile(values, 0.9)),
    p99: round(percentile(values, 0.99)),
    min: round(percentile(values, 0)),
    max: round(percentile(values, 1)),
  }
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
