/**
 * `npm run bench -- document | agent | gossip | scaling [--json]`: the figures of docs/performance.md, measured anew on
 * this machine.
 */
import { cpus } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { benchAgent } from './agent.ts'
import { benchDocument } from './document.ts'
import { benchGossip } from './gossip/gossip.ts'
import type { GossipOptions } from './gossip/gossip.ts'
import { gossipTables } from './gossip/table.ts'
import { benchScaling, plotStored } from './scaling/scaling.ts'
import type { ScalingOptions } from './scaling/scaling.ts'
import { scalingTable } from './scaling/table.ts'

const program = new Command('bench')

function add(name: string, description: string, measure: () => object | Promise<object>): void {
  program
    .command(name)
    .description(description)
    .option('--json', 'figures for programs', false)
    .action(async (options: { json: boolean }) => {
      const figures = { ...about(name), ...(await measure()) }
      if (options.json) printJson(figures)
      else console.table(figures)
    })
}

add('document', 'route plan and Traefik document for 100 nodes with 60 services each', benchDocument)
add(
  'agent',
  'memory and idle CPU of agents with 3 nodes and 60 services, then REST under load; needs root (the lab)',
  benchAgent,
)

program
  .command('gossip')
  .description('failure detection beside serf (must be installed), a change of health, traffic, joins')
  .option('--runs <n>', 'deaths per size and program', positive, 30)
  .option('--changes <n>', 'changes of health', positive, 200)
  .option('--seed <n>', 'for every random choice of the bench', positive, 1)
  .option('--json', 'figures for programs', false)
  .action(async (options: GossipOptions & { json: boolean }) => {
    const figures = await benchGossip(options)
    if (options.json) printJson({ ...about('gossip'), ...figures })
    else console.log(gossipTables(figures))
  })

program
  .command('scaling')
  .description('traffic and failure detection up to 1000 nodes on virtual time; hours with all of them')
  .addOption(
    new Option('--sizes <n,n>', 'how many nodes').argParser(sizes).default([10, 30, 100, 300, 1_000], '10 to 1000'),
  )
  .option('--runs <n>', 'seeds of the largest size', positive, 10)
  .option('--small-runs <n>', 'seeds of each other size', positive, 3)
  .option('--resume', 'take what an earlier call has finished', false)
  .option('--minutes <n>', 'virtual minutes per run', positive, 60)
  .option('--crashes <n>', 'crashes per run', positive, 10)
  .option('--store', 'keep the figures and the plot in docs/', false)
  .option('--plot-only', 'draw what is kept in docs/ again and measure nothing', false)
  .option('--json', 'figures for programs', false)
  .action(async (options: ScalingOptions & { json: boolean; plotOnly: boolean }) => {
    const figures = options.plotOnly ? plotStored() : await benchScaling(options)
    if (options.json) printJson({ ...about('scaling'), ...figures })
    else console.log(scalingTable(figures))
  })

await program.parseAsync()

function about(bench: string): object {
  return { bench, node: process.version, cores: cpus().length }
}

function printJson(figures: object): void {
  console.log(JSON.stringify(figures, null, 2))
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number above 0')
  return value
}

function sizes(text: string): readonly number[] {
  return text.split(',').map(positive)
}
