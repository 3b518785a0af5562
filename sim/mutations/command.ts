/** `npm run sim -- <suite> --mutations`: which planted bugs the suite finds, and after how many seeds. */
import { availableParallelism } from 'node:os'
import type { Suite } from '../suite.ts'
import { runMutations } from './run.ts'
import type { MutationOutcome } from './run.ts'

export interface MutationOptions {
  readonly seeds: number
  readonly only?: string
  readonly json: boolean
}

/** Answers the exit code: 1 when a bug was not found. */
export async function huntMutants(suite: Suite, { seeds, only, json }: MutationOptions): Promise<number> {
  const mutants = suite.mutants.filter(({ name }) => only === undefined || name.includes(only))
  const options = { seedsMax: seeds, workers: availableParallelism() }
  const mutations = await runMutations({ name: suite.name, mutants }, options, outcome =>
    process.stderr.write(`${inWords(outcome)}\n`),
  )
  const missed = mutations.filter(({ found }) => !found)
  if (json) console.log(JSON.stringify({ suite: suite.name, seedsMax: seeds, mutations }))
  else
    console.log(`${mutations.length - missed.length} of ${mutations.length} planted bugs found within ${seeds} seeds`)
  return missed.length === 0 && mutations.length > 0 ? 0 : 1
}

function inWords({ name, found, seeds, by, wallMs }: MutationOutcome): string {
  const how = found ? `found by ${by} after ${seeds} seeds` : `NOT found in ${seeds} seeds`
  return `${name}: ${how}, ${Math.round(wallMs / 1_000)} s`
}
