/**
 * `npm run sim -- <suite> --seeds N`: whole clusters on virtual time, from seeds, on all cores. Ends with 1 when an
 * invariant was broken. `--seed S` shows one run: its options, what happened, its digest.
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { huntMutants } from './mutations/command.ts'
import { runTasks } from './pool.ts'
import type { SeedResult, Suite, Violation } from './suite.ts'
import { suites } from './suites.ts'
import { perform } from './work.ts'
import type { Task } from './work.ts'

interface Options {
  readonly seeds?: number
  readonly from: number
  readonly seed?: number
  readonly nodes?: number
  readonly large?: number
  readonly json: boolean
  readonly trace: boolean
  readonly mutations: boolean
  readonly only?: string
}

/** What is run when many seeds are. */
type Run = Options & { readonly seeds: number }

/** Every so many seeds are run twice, to see that a seed is a replay. */
const twiceEvery = 20
const manySeeds = 1_000
const largeByDefault = 20
const progressMs = 5_000
const mutantSeeds = 500

const program = new Command('sim').description('whole clusters on virtual time, from seeds')

for (const suite of suites)
  program
    .command(suite.name)
    .description(suite.description)
    .option('--seeds <n>', `how many seeds; ${manySeeds}, or at most ${mutantSeeds} for each planted bug`, positive)
    .option('--from <seed>', 'the first one', positive, 1)
    .option('--seed <seed>', 'this one alone, with its options', positive)
    .option('--nodes <n>', 'this many nodes instead of what the seed says', positive)
    .option('--large <n>', 'seeds of the large kind; 20 from a thousand seeds on', whole)
    .option('--mutations', 'plants known bugs, one at a time, and counts the seeds until each is found', false)
    .option('--only <text>', 'with --mutations: those whose name contains this')
    .option('--json', 'figures for programs', false)
    .option('--trace', 'with --seed: everything that happens', false)
    .action((options: Options) => run(suite, options))

await program.parseAsync()

async function run(suite: Suite, options: Options): Promise<void> {
  const { seed, mutations, seeds } = options
  if (mutations) process.exitCode = await huntMutants(suite, { ...options, seeds: seeds ?? mutantSeeds })
  else if (seed === undefined) await runMany(suite, { ...options, seeds: seeds ?? manySeeds })
  else runOne(suite, options)
}

async function runMany(suite: Suite, options: Run): Promise<void> {
  const startedAt = performance.now()
  const tasks = tasksOf(suite, options)
  const results: SeedResult[] = []
  const violations: Violation[] = []
  let saidAt = startedAt
  await runTasks(tasks, availableParallelism(), (result, done) => {
    results.push(result)
    violations.push(...result.violations)
    if (result.violations.length > 0 && !options.json) tell(result.violations)
    if (performance.now() - saidAt < progressMs) return
    saidAt = performance.now()
    process.stderr.write(`${done} of ${tasks.length} runs, ${violations.length} violations\n`)
  })
  summarise(suite, options, results, performance.now() - startedAt)
}

/** The large ones first: they take longest. */
function tasksOf(suite: Suite, { seeds, from, nodes, large }: Run): readonly Task[] {
  const largeCount = suite.largeNodes === undefined ? 0 : (large ?? (seeds >= manySeeds ? largeByDefault : 0))
  const task = (seed: number, count: number | undefined, twice: boolean): Task => ({
    suite: suite.name,
    seed,
    twice,
    ...(count === undefined ? {} : { nodes: count }),
  })
  return [
    ...Array.from({ length: largeCount }, (_, i) => task(from + i, suite.largeNodes, false)),
    ...Array.from({ length: seeds }, (_, i) => task(from + i, nodes, (from + i) % twiceEvery === 0)),
  ]
}

function summarise(suite: Suite, { seeds, json }: Run, results: readonly SeedResult[], wallMs: number): void {
  const ordered = [...results].sort((a, b) => a.seed - b.seed || a.digest.localeCompare(b.digest))
  const violations = ordered.flatMap(result => result.violations)
  const events = ordered.reduce((sum, result) => sum + result.events, 0)
  const figures = {
    suite: suite.name,
    seeds,
    violations,
    events,
    wallMs: Math.round(wallMs),
    eventsPerSecond: Math.round((events * 1_000) / wallMs),
    virtualHours: Math.round(ordered.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 36_000) / 100,
    large: { runs: results.length - seeds },
    digest: createHash('sha256')
      .update(ordered.map(({ digest }) => digest).join())
      .digest('hex'),
  }
  if (json) print(JSON.stringify(figures))
  else
    print(
      `${violations.length} violations in ${results.length} runs, ${events} events, ${figures.wallMs} ms, digest ${figures.digest}`,
    )
  if (violations.length > 0) process.exitCode = 1
}

function runOne(suite: Suite, { seed = 1, nodes, json, trace }: Options): void {
  const chosen = nodes === undefined ? {} : { nodes }
  const result = trace
    ? suite.runSeed(seed, { ...chosen, trace: print })
    : perform(suite, { suite: suite.name, seed, twice: true, ...chosen })
  if (json) print(JSON.stringify(result))
  else {
    print(`seed ${seed}: ${JSON.stringify(result.options, undefined, 2)}`)
    print(`${result.events} events in ${result.virtualMs} virtual ms, digest ${result.digest}`)
    tell(result.violations)
  }
  if (result.violations.length > 0) process.exitCode = 1
}

function tell(violations: readonly Violation[]): void {
  for (const { seed, atMs, node, invariant, details, replay } of violations)
    print(`seed ${seed}, ${atMs} ms, ${node}: ${invariant}: ${details}\n  ${replay} --trace`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function positive(text: string): number {
  const value = whole(text)
  if (value < 1) throw new InvalidArgumentError('a whole number above 0 is wanted')
  return value
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is wanted')
  return value
}
