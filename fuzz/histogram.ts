/** Durations in buckets of a twentieth of a decade: enough for percentiles of a million inputs in a few hundred numbers. */
const bucketsPerDecade = 20
const floorMs = 1e-5

export interface Histogram {
  add(durationMs: number): void
  /** Upper end of the bucket that holds this share of all durations, 0 to 1. */
  percentileMs(share: number): number
}

export function createHistogram(): Histogram {
  const buckets: number[] = []
  let count = 0
  return {
    add(durationMs) {
      const index = Math.max(0, Math.ceil(Math.log10(Math.max(durationMs, floorMs) / floorMs) * bucketsPerDecade))
      buckets[index] = (buckets[index] ?? 0) + 1
      count++
    },
    percentileMs(share) {
      let seen = 0
      for (const [index, size] of buckets.entries()) {
        seen += size ?? 0
        if (seen >= share * count) return floorMs * 10 ** (index / bucketsPerDecade)
      }
      return 0
    },
  }
}
