/**
 * What a suite of simulations is: it turns a seed into a result. Everything else (workers, progress, figures) is the
 * same for all of them.
 */
import type { Millis } from '../src/kernel/units.ts'
import type { Mutant } from './mutations/mutant.ts'

export interface Violation {
  readonly seed: number
  /** Virtual time at which it was seen. */
  readonly atMs: Millis
  readonly node: string
  readonly invariant: string
  readonly details: string
  /** The command that shows it again. */
  readonly replay: string
}

export interface SeedResult {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** How many events of virtual time were run. */
  readonly events: number
  readonly virtualMs: Millis
  /** SHA-256 over all that the nodes did and when. */
  readonly digest: string
  /** What the seed switched on, for people. */
  readonly options: Readonly<Record<string, unknown>>
}

export interface SeedOptions {
  /** Instead of the number the seed chooses. */
  readonly nodes?: number
  /** Receives a line for everything that happens. */
  readonly trace?: (line: string) => void
}

export interface Suite {
  readonly name: string
  readonly description: string
  /** Pure: the same seed and options give the same result. */
  runSeed(seed: number, options?: SeedOptions): SeedResult
  /** How many nodes a seed of the large kind has; absent when there is no such kind. */
  readonly largeNodes?: number
  /** Bugs that the suite must find when they are planted. */
  readonly mutants: readonly Mutant[]
}
