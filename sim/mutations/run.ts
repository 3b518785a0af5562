/**
 * Measures a suite by the bugs it finds: plants each in a copy, lets the suite run there until it complains, and removes
 * the copy. An untouched copy is no bug and must come through the same seeds; `npm run sim -- <suite>` shows that.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Suite } from '../suite.ts'
import type { HuntResult } from './hunt.ts'
import type { Mutant } from './mutant.ts'
import { plant, uproot } from './plant.ts'

export interface MutationOutcome extends HuntResult {
  readonly name: string
  readonly harm: string
  readonly wallMs: number
}

export interface HuntOptions {
  /** A bug that was not found within so many seeds counts as not found. */
  readonly seedsMax: number
  /** How many are hunted side by side. */
  readonly workers: number
}

const run = promisify(execFile)
const outputBytesMax = 16 * 1024 * 1024

/** In the order of the list. `onOutcome` is told of each as it ends. */
export async function runMutations(
  { name: suite, mutants }: Pick<Suite, 'name' | 'mutants'>,
  { seedsMax, workers }: HuntOptions,
  onOutcome: (outcome: MutationOutcome) => void,
): Promise<readonly MutationOutcome[]> {
  const waiting = [...mutants]
  const outcomes = new Map<string, MutationOutcome>()
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const outcome = await hunt(suite, mutant, seedsMax)
      outcomes.set(mutant.name, outcome)
      onOutcome(outcome)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  return mutants.flatMap(({ name }) => outcomes.get(name) ?? [])
}

async function hunt(suite: string, mutant: Mutant, seedsMax: number): Promise<MutationOutcome> {
  const began = performance.now()
  const copy = plant(mutant)
  try {
    const program = [...process.execArgv, join(copy, 'sim/mutations/hunt.ts'), suite, String(seedsMax)]
    const { stdout } = await run(process.execPath, program, { maxBuffer: outputBytesMax })
    // One line of JSON, printed by our own program.
    const result = JSON.parse(stdout) as HuntResult
    return { name: mutant.name, harm: mutant.harm, ...result, wallMs: Math.round(performance.now() - began) }
  } finally {
    uproot(mutant)
  }
}
