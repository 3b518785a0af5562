/**
 * How long a member that does not answer stays `suspect` before it is called dead (Lifeguard's dynamic suspicion): long
 * while we are alone with our opinion, shorter with every other member that shares it, never below a minimum.
 * Invariants: each member confirms once, the first accuser never; a confirmation only ever brings the deadline nearer.
 */
import type { Millis } from '../../kernel/units.ts'

export interface SuspicionBounds {
  readonly minMs: Millis
  readonly maxMs: Millis
  /** Confirmations that bring the duration down to the minimum. */
  readonly wanted: number
}

export interface SuspicionKnobs {
  readonly suspicionMult: number
  readonly suspicionMaxMult: number
  readonly probeIntervalMs: Millis
}

/**
 * `members` counts us and the suspect; those two cannot confirm. `voices` are the others who can: where they are fewer than
 * wanted none are awaited.
 */
export function suspicionBounds(knobs: SuspicionKnobs, members: number, voices = members - 2): SuspicionBounds {
  // Cut to three decimals as the other implementations do, so that all members reckon alike.
  const scale = Math.max(1, Math.floor(Math.log10(Math.max(1, members)) * 1_000) / 1_000)
  const minMs = knobs.suspicionMult * scale * knobs.probeIntervalMs
  const wanted = Math.max(0, knobs.suspicionMult - 2)
  return { minMs, maxMs: knobs.suspicionMaxMult * minMs, wanted: voices < wanted ? 0 : wanted }
}

export function suspicionDuration({ minMs, maxMs, wanted }: SuspicionBounds, confirmations: number): Millis {
  if (wanted === 0) return minMs
  const share = Math.log(confirmations + 1) / Math.log(wanted + 1)
  return Math.max(minMs, Math.floor(maxMs - share * (maxMs - minMs)))
}

export interface Suspicion {
  readonly deadline: Millis
  /** True when this is a new voice that counts, and thus worth passing on. */
  confirm(from: string): boolean
  /** Time in which we did not run does not count against the suspect. */
  postpone(byMs: Millis): void
}

export function createSuspicion(startedAt: Millis, accuser: string, bounds: SuspicionBounds): Suspicion {
  const heard = new Set([accuser])
  let startMs = startedAt
  return {
    get deadline() {
      return startMs + suspicionDuration(bounds, heard.size - 1)
    },
    confirm(from) {
      if (heard.size > bounds.wanted || heard.has(from)) return false
      heard.add(from)
      return true
    },
    postpone(byMs) {
      startMs += byMs
    },
  }
}
