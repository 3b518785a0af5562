/**
 * Runs inside the copy that has the bug: seeds in turn until one is violated. Prints one line of JSON for whoever planted
 * it. Called with the highest seed to try.
 */
import { runGossipSeed } from '../gossip/run-seed.ts'
import type { Violation } from '../suite.ts'

export interface HuntResult {
  readonly found: boolean
  /** How many seeds were run; the last one is the one that found it. */
  readonly seeds: number
  /** What gave it away: the name of an invariant, or the exception it threw. */
  readonly by?: string
  readonly example?: Violation | string
}

function hunt(seedsMax: number): HuntResult {
  for (let seed = 1; seed <= seedsMax; seed++) {
    try {
      const [first] = runGossipSeed(seed).violations
      if (first !== undefined) return { found: true, seeds: seed, by: first.invariant, example: first }
    } catch (error) {
      return { found: true, seeds: seed, by: 'exception', example: String(error) }
    }
  }
  return { found: false, seeds: seedsMax }
}

console.log(JSON.stringify(hunt(Number(process.argv[2]))))
