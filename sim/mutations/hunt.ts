/**
 * Runs inside the copy that has the bug: seeds in turn until one is violated. Prints one line of JSON for whoever planted
 * it. Called with the name of the suite and the highest seed to try.
 */
import type { Suite, Violation } from '../suite.ts'
import { suiteCalled } from '../suites.ts'

export interface HuntResult {
  readonly found: boolean
  /** How many seeds were run; the last one is the one that found it. */
  readonly seeds: number
  /** What gave it away: the name of an invariant, or the exception it threw. */
  readonly by?: string
  readonly example?: Violation | string
}

function hunt(suite: Suite, seedsMax: number): HuntResult {
  for (let seed = 1; seed <= seedsMax; seed++) {
    try {
      const [first] = suite.runSeed(seed).violations
      if (first !== undefined) return { found: true, seeds: seed, by: first.invariant, example: first }
    } catch (error) {
      return { found: true, seeds: seed, by: 'exception', example: String(error) }
    }
  }
  return { found: false, seeds: seedsMax }
}

const [, , name = '', seedsMax] = process.argv
console.log(JSON.stringify(hunt(suiteCalled(name), Number(seedsMax))))
