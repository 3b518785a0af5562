/**
 * Measures the simulator by the bugs it finds: plants each, lets the suite run in the copy until it complains, and removes
 * the copy. The unchanged product goes first: what complains about it would find anything.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { HuntResult } from './hunt.ts'
import type { Mutant } from './mutant.ts'
import { plant, uproot } from './plant.ts'

export interface MutationOutcome extends HuntResult {
  readonly name: string
  readonly harm: string
  readonly wallMs: number
}

const run = promisify(execFile)

/** `onOutcome` is told of each as it ends. `workers` of them run side by side. */
export async function runMutations(
  mutants: readonly Mutant[],
  options: { readonly seedsMax: number; readonly workers: number },
  onOutcome: (outcome: MutationOutcome) => void,
): Promise<readonly MutationOutcome[]> {
  const waiting = [...mutants]
  const outcomes = new Map<string, MutationOutcome>()
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const outcome = await hunt(mutant, options.seedsMax)
      outcomes.set(mutant.name, outcome)
      onOutcome(outcome)
    }
  }
  await Promise.all(Array.from({ length: options.workers }, work))
  return mutants.flatMap(({ name }) => outcomes.get(name) ?? [])
}

async function hunt(mutant: Mutant, seedsMax: number): Promise<MutationOutcome> {
  const began = performance.now()
  const copy = plant(mutant)
  try {
    const args = ['--import', 'tsx', join(copy, 'sim/mutations/hunt.ts'), String(seedsMax)]
    const { stdout } = await run(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 })
    // One line of JSON, printed by our own program.
    const result = JSON.parse(stdout) as HuntResult
    return { name: mutant.name, harm: mutant.harm, ...result, wallMs: Math.round(performance.now() - began) }
  } finally {
    uproot(mutant)
  }
}
