/** `constellation services [service]`: all of them in a table, or one with every instance and the reason for its traffic. */
import type { Command } from 'commander'
import type { z } from 'zod'
import type { Millis } from '../../../kernel/units.ts'
import { service as serviceSchema, services as servicesSchema } from '../../rest/schema.ts'
import { createClient } from '../client.ts'
import type { CliConfig, CliDeps, Finish } from '../deps.ts'
import { exitCodes } from '../exit.ts'
import { age, createPaint, json, plain, stateWord, table, type Paint } from '../text.ts'
import { withReadOptions, type ReadOptions } from './shared.ts'

type Service = z.output<typeof serviceSchema>
type Instance = Service['instances'][number]

export function addServicesCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  const command = program
    .command('services')
    .alias('service')
    .description('every service of the cluster, or one with its instances')
    .argument('[service]', 'id (shop:web), or name when only one project has it (web)')
  withReadOptions(command)
    .addHelpText('after', '\nExits with 1 while one of those shown is degraded or down.')
    .action(async (name: string | undefined, options: ReadOptions) => {
      const shown = name === undefined ? await listed(options, deps) : await single(name, options, deps)
      if (shown.some(({ state }) => state === 'degraded' || state === 'down')) finish(exitCodes.unwell)
    })
}

async function listed<C extends CliConfig>(options: ReadOptions, deps: CliDeps<C>): Promise<readonly Service[]> {
  const client = await createClient(options, deps)
  const { raw, value } = await client.get('/api/v1/services', servicesSchema)
  deps.io.out(`${options.json === true ? json(raw) : overview(value.services, createPaint(deps.io.colours))}\n`)
  return value.services
}

async function single<C extends CliConfig>(
  name: string,
  options: ReadOptions,
  deps: CliDeps<C>,
): Promise<readonly Service[]> {
  const client = await createClient(options, deps)
  const { raw, value } = await client.get(`/api/v1/services/${encodeURIComponent(name)}`, serviceSchema)
  const text = options.json === true ? json(raw) : detail(value, deps.io.wallNow(), createPaint(deps.io.colours))
  deps.io.out(`${text}\n`)
  return [value]
}

function overview(services: readonly Service[], paint: Paint): string {
  if (services.length === 0) return 'no service is known here'
  const rows = services.map(service => {
    const receiving = service.instances.filter(({ traffic }) => traffic !== 'no').length
    const nodes = [...new Set(service.instances.map(({ node }) => node))]
    return [
      plain(service.id),
      stateWord(service.state, paint),
      `${receiving}/${service.instances.length}`,
      plain(nodes.join(', ')),
      service.routed ? plain(service.hosts[0] ?? '-') : paint.faint('not routed'),
    ]
  })
  return table(['SERVICE', 'STATE', 'TRAFFIC', 'NODES', 'HOST'], rows, paint)
}

function detail(service: Service, wallNow: Millis, paint: Paint): string {
  const rows = service.instances.map(instance => [
    plain(instance.node),
    plain(instance.containerName),
    stateWord(instance.state, paint),
    since(instance, wallNow),
    stateWord(instance.traffic, paint),
    plain(instance.trafficReason),
    instance.upstream === undefined ? '-' : plain(upstreamInWords(instance.upstream)),
  ])
  const head = ['NODE', 'CONTAINER', 'STATE', 'SINCE', 'TRAFFIC', 'WHY', 'UPSTREAM']
  return [
    `${paint.bold(plain(service.id))} ${stateWord(service.state, paint)}`,
    ...service.hosts.map(host => `${paint.faint('host     ')} ${plain(host)}`),
    ...(service.routed ? [] : [paint.faint('not routed, observed only')]),
    ...service.complaints.map(text => `${paint.doubtful('complaint')} ${plain(text)}`),
    '',
    table(head, rows, paint),
  ].join('\n')
}

/** By the clock of the instance's node, which may be ahead of ours. */
function since(instance: Instance, wallNow: Millis): string {
  const began = Date.parse(instance.since ?? '')
  return Number.isNaN(began) ? '-' : age(wallNow - began)
}

function upstreamInWords({ url, via }: NonNullable<Instance['upstream']>): string {
  return via === 'instance' ? url : `${url} (proxy of its node)`
}
