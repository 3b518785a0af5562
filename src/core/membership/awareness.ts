/**
 * Lifeguard's local health: 0 is well, each point says that we may be the slow one, and stretches our probe rounds so that
 * we accuse others later. Bounded; knows neither time nor members.
 */
export interface Awareness {
  readonly score: number
  /** Positive: a probe failed, a nack stayed away, we were accused, we stood still. Negative: a probe succeeded. */
  adjust(by: number): void
}

export function createAwareness(max: number): Awareness {
  let score = 0
  return {
    get score() {
      return score
    },
    adjust(by) {
      score = Math.min(Math.max(score + by, 0), max - 1)
    },
  }
}
