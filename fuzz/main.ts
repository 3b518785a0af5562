/**
 * `npm run fuzz -- [--inputs N] [--seed S] [--target NAME] [--json]`: random and mutated bytes against every decoder. Ends
 * with 1 when one threw, was slow again and again, or grew.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Command, InvalidArgumentError } from 'commander'
import { runTarget } from './run-target.ts'
import type { FuzzResult } from './run-target.ts'
import { allTargets } from './targets.ts'

const p9999MsMax = 1
const growthMbMax = 5

interface Options {
  readonly inputs: number
  readonly seed: number
  readonly target?: string
  readonly json: boolean
}

const program = new Command('fuzz')
  .description('random and mutated bytes against every decoder of foreign input')
  .option('--inputs <n>', 'inputs for each decoder', positive, 1_000_000)
  .option('--seed <n>', 'another seed gives other inputs', positive, 1)
  .option('--target <name>', 'only decoders whose name contains this')
  .option('--json', 'figures for programs', false)
  .action(fuzz)

function fuzz({ inputs, seed, target: wanted = '', json }: Options): void {
  const targets = allTargets().filter(({ name }) => name.includes(wanted))
  if (targets.length === 0) program.error(`no decoder is called ${wanted}; there are: ${names()}`)
  const results = targets.map(target => {
    const result = runTarget(target, inputs, seed, collectGarbage, done =>
      process.stderr.write(`\r${target.name}: ${done} of ${inputs} `),
    )
    process.stderr.write(`\r${target.name}: ${complaint(result) ?? 'well'}, ${result.wallMs} ms\n`)
    return result
  })
  const complaints = results.map(complaint).filter(text => text !== undefined)
  if (json) console.log(JSON.stringify({ seed, results, complaints }, null, 2))
  else console.table(results.map(row))
  process.exitCode = complaints.length === 0 ? 0 : 1
}

function row({ target, inputs, exceptions, p50Ms, p9999Ms, slowestMs, heapBeforeMb, heapAfterMb }: FuzzResult): object {
  return { target, inputs, exceptions: exceptions.length, p50Ms, p9999Ms, slowestMs, heapBeforeMb, heapAfterMb }
}

function complaint({ target, exceptions, p9999Ms, heapBeforeMb, heapAfterMb }: FuzzResult): string | undefined {
  const [first] = exceptions
  if (first !== undefined) return `${target} threw at input ${first.input}: ${first.error} (${first.hex})`
  if (p9999Ms > p9999MsMax) return `${target}: one input in 10,000 takes ${p9999Ms.toFixed(2)} ms`
  if (heapAfterMb - heapBeforeMb > growthMbMax) return `${target}: grew from ${heapBeforeMb} to ${heapAfterMb} MB`
  return undefined
}

function names(): string {
  return allTargets()
    .map(({ name }) => `"${name}"`)
    .join(', ')
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number above 0 is wanted')
  return value
}

/** Without a flag on the command line, so that the program can be called as any other. */
const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc !== 'function') throw new Error('this Node cannot collect garbage on demand')
  return () => void Reflect.apply(gc, undefined, [])
})()

program.parse()
