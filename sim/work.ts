/** What passes between the program and its workers: seeds in, results out. */
import type { SeedOptions, SeedResult, Suite } from './suite.ts'

export interface Task {
  readonly suite: string
  readonly seed: number
  readonly nodes?: number
  /** Run twice and compare. */
  readonly twice: boolean
}

/** A seed that gives two different runs is the worst of all violations: nothing it finds could be replayed. */
export function perform(suite: Suite, { seed, nodes, twice }: Task): SeedResult {
  const options: SeedOptions = nodes === undefined ? {} : { nodes }
  const first = suite.runSeed(seed, options)
  if (!twice) return first
  const second = suite.runSeed(seed, options)
  if (second.digest === first.digest) return first
  const details = `the first run gave ${first.digest}, the second ${second.digest}`
  const replay = `npm run sim -- ${suite.name} --seed ${seed}${nodes === undefined ? '' : ` --nodes ${nodes}`}`
  const violation = { seed, atMs: first.virtualMs, node: 'all', invariant: 'same-seed-same-run', details, replay }
  return { ...first, violations: [...first.violations, violation] }
}
