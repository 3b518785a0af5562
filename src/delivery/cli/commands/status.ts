/** `constellation status`: the cluster as one agent sees it, on one screen. */
import type { Command } from 'commander'
import type { z } from 'zod'
import { createClient } from '../client.ts'
import type { CliConfig, CliDeps, Finish } from '../deps.ts'
import { exitCodes } from '../exit.ts'
import { status as statusSchema } from '../../rest/schema.ts'
import { age, createPaint, json, plain, type Paint } from '../text.ts'
import { withReadOptions, type ReadOptions } from './shared.ts'

type Status = z.output<typeof statusSchema>

const help = `
Exits with 1 unless everything is well: the view complete, the engine connected, no member suspect or dead, no service
degraded or down.`

export function addStatusCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  withReadOptions(program.command('status').description('the cluster as the agent of this node sees it'))
    .addHelpText('after', help)
    .action(async (options: ReadOptions) => {
      const client = await createClient(options, deps)
      const { raw, value } = await client.get('/api/v1/status', statusSchema)
      deps.io.out(`${options.json === true ? json(raw) : forPeople(value, createPaint(deps.io.colours))}\n`)
      if (!isWell(value)) finish(exitCodes.unwell)
    })
}

function isWell({ complete, engine, members, services }: Status): boolean {
  return complete && engine.connected && members.suspect + members.dead + services.degraded + services.down === 0
}

function forPeople(status: Status, paint: Paint): string {
  const { engine, gossip, members, services, traefik } = status
  const sick = (count: number, word: string, colour: keyof Paint): string =>
    count === 0 ? `${count} ${word}` : paint[colour](`${count} ${word}`)
  const facts: readonly (readonly [string, string])[] = [
    ['node', `${paint.bold(plain(status.node))}, agent ${plain(status.version)}, up ${age(status.uptimeMs)}`],
    ['domain', plain(status.domain)],
    [
      'members',
      `${members.alive} alive, ${sick(members.suspect, 'suspect', 'doubtful')}, ${sick(members.dead, 'dead', 'bad')}, ` +
        `${members.left} left`,
    ],
    [
      'services',
      `${services.healthy} healthy, ${sick(services.degraded, 'degraded', 'doubtful')}, ` +
        `${sick(services.down, 'down', 'bad')}, ${services.stopped} stopped`,
    ],
    ['engine', engineInWords(engine, paint)],
    ['view', `revision ${status.viewRevision}, ${status.complete ? 'complete' : paint.doubtful('not complete yet')}`],
    ['traefik', traefik.generation === 0 ? paint.doubtful('no document yet') : `document ${traefik.generation}`],
    [
      'gossip',
      `health score ${gossip.healthScore}, ${gossip.probes} probes, ${gossip.probeFailures} failed, ` +
        `${gossip.suspicions} suspicions`,
    ],
  ]
  const lines = facts.map(([name, value]) => `${paint.faint(name.padEnd(10))}${value}`)
  const complaints = traefik.complaints.map(text => `${paint.doubtful('complaint')} ${plain(text)}`)
  return [...lines, ...complaints].join('\n')
}

function engineInWords(engine: Status['engine'], paint: Paint): string {
  if (engine.connected)
    return `${engine.kind}${engine.version === undefined ? '' : ` ${plain(engine.version)}`}, connected`
  const reason = engine.reason === undefined ? '' : `: ${plain(engine.reason)}`
  return paint.bad(`${engine.kind} does not answer${reason}`)
}
