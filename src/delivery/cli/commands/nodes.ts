/** `constellation nodes`: who is there, and how each is. */
import type { Command } from 'commander'
import type { z } from 'zod'
import { nodes as nodesSchema } from '../../rest/schema.ts'
import { createClient } from '../client.ts'
import type { CliConfig, CliDeps, Finish } from '../deps.ts'
import { exitCodes } from '../exit.ts'
import { createPaint, json, plain, stateWord, table, type Paint } from '../text.ts'
import { withReadOptions, type ReadOptions } from './shared.ts'

type Node = z.output<typeof nodesSchema>['nodes'][number]

export function addNodesCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  withReadOptions(program.command('nodes').description('every node, its status and what runs on it'))
    .addHelpText('after', '\nExits with 1 while a node is suspect or dead.')
    .action(async (options: ReadOptions) => {
      const client = await createClient(options, deps)
      const { raw, value } = await client.get('/api/v1/nodes', nodesSchema)
      deps.io.out(`${options.json === true ? json(raw) : forPeople(value.nodes, createPaint(deps.io.colours))}\n`)
      if (value.nodes.some(({ status }) => status === 'suspect' || status === 'dead')) finish(exitCodes.unwell)
    })
}

function forPeople(nodes: readonly Node[], paint: Paint): string {
  const head = ['NODE', 'STATUS', 'AGENT', 'ADDRESS', 'INSTANCES', 'PRIORITY', 'ENGINE', 'VERSION']
  const rows = nodes.map(node => {
    const { healthy, unhealthy, starting, stopped } = node.instances
    const name = plain(node.name)
    return [
      node.self ? `${paint.bold(name)} *` : name,
      stateWord(node.status, paint),
      stateWord(node.agent, paint),
      plain(node.address),
      `${healthy}/${healthy + unhealthy + starting + stopped} healthy`,
      node.priority === undefined ? '-' : String(node.priority),
      node.facts === undefined ? '-' : plain(`${node.facts.engine.kind} ${node.facts.engine.version}`),
      node.facts === undefined ? '-' : plain(node.facts.agentVersion),
    ]
  })
  return table(head, rows, paint)
}
