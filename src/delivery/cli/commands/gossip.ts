/** `constellation gossip trace <key>`: where a change has been, on one node or on several, and what took how long. */
import type { Command } from 'commander'
import type { Millis } from '../../../kernel/units.ts'
import { trace as traceSchema } from '../../rest/schema.ts'
import { CliError, createClient, type ClientOptions } from '../client.ts'
import type { CliConfig, CliDeps, Finish } from '../deps.ts'
import { exitCodes } from '../exit.ts'
import { createPaint, json, plain, table, type Paint } from '../text.ts'
import { estimateClock, timelineOf, type Sample, type Timeline } from '../timeline.ts'
import { withReadOptions, type ReadOptions } from './shared.ts'

interface TraceOptions extends ReadOptions {
  readonly also: readonly string[]
}

/** The first opens the connection, the others tell the clocks apart. */
const questionsPerAgent = 4

const help = `
<key> is what every log line of the change carries: service@node#revision. Without #revision it is the newest change of
that instance. Ask the agents of other nodes as well to see the whole way; the clocks of the nodes need not agree.`

export function addGossipCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  const gossip = program.command('gossip').description('what gossip does')
  withReadOptions(gossip.command('trace').description('where a change has been and what took how long'))
    .argument('<key>', 'the change: web@node-a#8, or web@node-a for the newest')
    .option(
      '--also <url[=token-file]>',
      'ask this agent, too; can be repeated',
      (url: string, urls: readonly string[]) => [...urls, url],
      [],
    )
    .addHelpText('after', help)
    .action(async (key: string, options: TraceOptions) => {
      const { samples, silent } = await askAll(key, options, deps)
      const reads = samples.map(read => ({ trace: read[0].trace, clock: estimateClock(read) }))
      const timeline = timelineOf(reads)
      if (timeline === undefined) return
      const text =
        options.json === true
          ? json({ ...timeline, silent })
          : forPeople(timeline, silent, options.also.length > 0, createPaint(deps.io.colours))
      deps.io.out(`${text}\n`)
      if (silent.length > 0) finish(exitCodes.unwell)
    })
}

type Samples = readonly [Sample, ...Sample[]]

interface Asked {
  readonly samples: readonly Samples[]
  /** Why an agent has nothing to add, one sentence each. */
  readonly silent: readonly string[]
}

/** Rejects when nobody knows the walk. What the first who knows it calls it, the others are asked for. */
async function askAll<C extends CliConfig>(key: string, options: TraceOptions, deps: CliDeps<C>): Promise<Asked> {
  const samples: Samples[] = []
  const failures: CliError[] = []
  let whole = key
  for (const target of [options, ...options.also.map(targetOf)]) {
    try {
      const read = await askOne(whole, target, deps)
      samples.push(read)
      whole = read[0].trace.key
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (samples.length === 0 && first !== undefined) throw first
  return { samples, silent: failures.map(({ message }) => message) }
}

function targetOf(text: string): ClientOptions {
  const [api = '', tokenFile] = text.split('=', 2)
  return { api, ...(tokenFile === undefined ? {} : { tokenFile }) }
}

async function askOne<C extends CliConfig>(key: string, target: ClientOptions, deps: CliDeps<C>): Promise<Samples> {
  const client = await createClient(target, deps)
  const ask = async (): Promise<Sample> => {
    const askedAtMs = deps.io.now()
    const { value: trace } = await client.get(`/api/v1/gossip/trace/${encodeURIComponent(key)}`, traceSchema)
    return { askedAtMs, answeredAtMs: deps.io.now(), wallMs: deps.io.wallNow(), trace }
  }
  const first = await ask()
  const more: Sample[] = []
  while (more.length < questionsPerAgent - 1) more.push(await ask())
  return [first, ...more]
}

function forPeople(timeline: Timeline, silent: readonly string[], askedOthers: boolean, paint: Paint): string {
  const { key, entries, totalMs, last, clocks } = timeline
  const rows = entries.map(entry => [
    ms(entry.sinceFirstMs).padStart(9),
    `+${ms(entry.sincePreviousMs)}`.padStart(9),
    plain(entry.node),
    entry.slowest ? paint.doubtful(entry.hop) : entry.hop,
    `${plain(entry.detail)}${entry.slowest ? paint.doubtful(' (slowest)') : ''}`,
  ])
  const first = entries[0]
  const total = `total ${ms(totalMs)} ms from ${first?.hop ?? ''} on ${plain(first?.node ?? '')} to ${last.hop} on `
  return [
    paint.bold(plain(key)),
    '',
    table(['       MS', '      +MS', 'NODE', 'HOP', 'WHAT'], rows, paint),
    '',
    `${total}${plain(last.node)}${last.hop === 'served' ? '' : ', not served to Traefik since'}`,
    ...(clocks.length > 1 ? clocks.map(clockInWords) : []),
    ...(askedOthers
      ? []
      : [paint.faint(`only ${plain(clocks[0]?.node ?? '')} was asked; --also <url> asks others, too`)]),
    ...silent.map(sentence => paint.doubtful(`missing: ${plain(sentence)}`)),
  ].join('\n')
}

function clockInWords({ node, uncertaintyMs, wallAheadMs }: Timeline['clocks'][number]): string {
  const direction = wallAheadMs < 0 ? 'behind' : 'ahead of'
  const wall = `its wall clock is ${ms(Math.abs(wallAheadMs))} ms ${direction} ours`
  return `clock of ${plain(node)}: known to +-${ms(uncertaintyMs)} ms; ${wall}`
}

function ms(duration: Millis): string {
  return duration.toFixed(1)
}
