/** `npm run bench -- document | agent | rest [--json]`: the figures of docs/performance.md, measured anew on this machine. */
import { cpus } from 'node:os'
import { Command } from 'commander'
import { benchAgent } from './agent.ts'
import { benchDocument } from './document.ts'

const program = new Command('bench')

function add(name: string, description: string, measure: () => object | Promise<object>): void {
  program
    .command(name)
    .description(description)
    .option('--json', 'figures for programs', false)
    .action(async (options: { json: boolean }) => {
      const figures = { bench: name, node: process.version, cores: cpus().length, ...(await measure()) }
      if (options.json) console.log(JSON.stringify(figures, null, 2))
      else console.table(figures)
    })
}

add('document', 'route plan and Traefik document for 100 nodes with 60 services each', benchDocument)
add(
  'agent',
  'memory and idle CPU of agents with 3 nodes and 60 services, then REST under load; needs root (the lab)',
  benchAgent,
)

await program.parseAsync()
