/**
 * Docker's inspect document -> ContainerFact. `State.Status` is the truth (a paused container also says Running), and
 * addresses are read per network: the ones at the top of NetworkSettings left the API in 1.52.
 * Invariant: lists are ordered, so that equal containers are equal facts.
 */
import type { ContainerFact } from '../../core/health/index.ts'
import type { Endpoint, NetworkAttachment } from '../../core/registry/index.ts'
import { byText, isPort } from '../../kernel/units.ts'
import { isObject, listAt, numberAt, objectAt, textAt } from './json.ts'
import type { JsonObject } from './json.ts'

const states = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const
const healths = ['none', 'starting', 'healthy', 'unhealthy'] as const

/** Undefined when the document names no container at all. */
export function containerFact(inspected: unknown): ContainerFact | undefined {
  if (!isObject(inspected)) return undefined
  const id = textAt(inspected, 'Id')
  if (id === '') return undefined
  const state = objectAt(inspected, 'State')
  const config = objectAt(inspected, 'Config')
  const status = stateOf(state)
  const startedAtWallMs = wallMs(textAt(state, 'StartedAt'))
  const exitCode = numberAt(state, 'ExitCode')
  const hasEnded = status === 'exited' || status === 'dead' || status === 'restarting'
  return {
    id,
    name: textAt(inspected, 'Name').replace(/^\//, ''),
    image: textAt(config, 'Image'),
    labels: labelsOf(config),
    state: status,
    ...healthOf(state),
    ...(startedAtWallMs === undefined ? {} : { startedAtWallMs }),
    ...(hasEnded && exitCode !== undefined ? { exitCode } : {}),
    endpoints: endpointsOf(inspected),
    networks: networksOf(inspected),
  }
}

function stateOf(state: JsonObject): ContainerFact['state'] {
  const status = textAt(state, 'Status')
  return states.find(known => known === status) ?? (state['Running'] === true ? 'running' : 'exited')
}

function healthOf(state: JsonObject): Pick<ContainerFact, 'health' | 'failingStreak'> {
  const health = objectAt(state, 'Health')
  const status = textAt(health, 'Status')
  return {
    health: healths.find(known => known === status) ?? 'none',
    failingStreak: numberAt(health, 'FailingStreak') ?? 0,
  }
}

/** Docker writes year 1 for "never". */
function wallMs(time: string): number | undefined {
  const parsed = Date.parse(time)
  return parsed > 0 ? parsed : undefined
}

function labelsOf(config: JsonObject): Readonly<Record<string, string>> {
  const pairs = Object.entries(objectAt(config, 'Labels'))
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
}

function endpointsOf(inspected: JsonObject): readonly Endpoint[] {
  const published = objectAt(objectAt(inspected, 'NetworkSettings'), 'Ports')
  const exposed = objectAt(objectAt(inspected, 'Config'), 'ExposedPorts')
  const onNode = textAt(objectAt(inspected, 'HostConfig'), 'NetworkMode') === 'host'
  const ports = new Set([...Object.keys(published), ...Object.keys(exposed)])
  return [...ports].flatMap(port => endpointsOfPort(port, listAt(published, port), onNode)).sort(byEndpoint)
}

/** `port` as Docker writes it: `80/tcp`. Other protocols (sctp) are nothing we route. */
function endpointsOfPort(port: string, bindings: readonly unknown[], onNode: boolean): readonly Endpoint[] {
  const [digits = '', protocol] = port.split('/')
  const containerPort = Number(digits)
  if (!isPort(containerPort) || (protocol !== 'tcp' && protocol !== 'udp')) return []
  const base = { protocol, containerPort } as const
  // In the node's own network a port is published by being listened on.
  if (onNode) return [{ ...base, hostIp: '0.0.0.0', hostPort: containerPort }]
  const publications = bindings.filter(isObject).flatMap(binding => {
    const hostPort = Number(textAt(binding, 'HostPort'))
    return isPort(hostPort) ? [{ ...base, hostIp: textAt(binding, 'HostIp') || '0.0.0.0', hostPort }] : []
  })
  // Docker lists a port published on every address twice, once per address family.
  const onEveryV4 = new Set(publications.filter(({ hostIp }) => hostIp === '0.0.0.0').map(({ hostPort }) => hostPort))
  const endpoints = publications.filter(({ hostIp, hostPort }) => hostIp !== '::' || !onEveryV4.has(hostPort))
  return endpoints.length === 0 ? [base] : endpoints
}

function networksOf(inspected: JsonObject): readonly NetworkAttachment[] {
  return Object.entries(objectAt(objectAt(inspected, 'NetworkSettings'), 'Networks'))
    .flatMap(([network, settings]) => {
      if (!isObject(settings)) return []
      const ip = textAt(settings, 'IPAddress') || textAt(settings, 'GlobalIPv6Address')
      // A stopped container, or one in the node's own network, is attached without an address.
      return ip === '' ? [] : [{ network, ip }]
    })
    .sort((a, b) => byText(a.network, b.network))
}

function byEndpoint(a: Endpoint, b: Endpoint): number {
  return (
    a.containerPort - b.containerPort ||
    byText(a.protocol, b.protocol) ||
    byText(a.hostIp ?? '', b.hostIp ?? '') ||
    (a.hostPort ?? 0) - (b.hostPort ?? 0)
  )
}
