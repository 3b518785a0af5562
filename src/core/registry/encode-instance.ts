/**
 * An instance as it travels: one-letter names, defaults left out, the container id taken from the record's key. These
 * letters are the protocol between versions of the agent: a letter may be added, none may change its meaning.
 */
import type { Packable } from '../membership/index.ts'
import { isServiceId, serviceId } from '../../kernel/units.ts'
import type { ServiceId } from '../../kernel/units.ts'
import type { FieldReader } from './field-reader.ts'
import { listLengthMax, nameLengthMax, textLengthMax } from './limits.ts'
import type { Endpoint, Instance, InstanceState, NetworkAttachment, RouterWish, RoutingWish } from './record.ts'

type PackedMap = { readonly [letter: string]: Packable | undefined }

const stateLetters = { healthy: 'h', unhealthy: 'u', starting: 's', stopped: 'o' } as const
const states: ReadonlyMap<string, InstanceState> = new Map([
  ['h', 'healthy'],
  ['u', 'unhealthy'],
  ['s', 'starting'],
  ['o', 'stopped'],
])

/** Both become part of URLs that others fetch, so nothing but addresses and host labels may get through. */
const ipPattern = /^[0-9a-fA-F:.]{2,45}$/
const hostPattern = /^[\w.*-]{1,253}$/

export function packInstance(instance: Instance): PackedMap {
  return {
    s: instance.service,
    n: instance.containerName,
    m: instance.image,
    h: stateLetters[instance.state],
    y: instance.reason,
    w: Math.round(instance.sinceWallMs),
    f: instance.consecutiveFailures === 0 ? undefined : instance.consecutiveFailures,
    e: instance.endpoints.map(packEndpoint),
    d: instance.networks.map(({ network, ip }) => ({ n: network, i: ip })),
    g: instance.routing === undefined ? undefined : packRouting(instance.routing),
    c: instance.complaints,
    x: instance.restartGivenUp,
  }
}

export function readInstance(reader: FieldReader, containerId: string): Instance {
  return {
    service: readService(reader),
    containerId,
    containerName: reader.text('n', nameLengthMax),
    image: reader.text('m', nameLengthMax),
    state: readState(reader),
    ...(reader.has('y') ? { reason: reader.text('y', textLengthMax) } : {}),
    sinceWallMs: reader.whole('w', 0, Number.MAX_SAFE_INTEGER),
    consecutiveFailures: reader.has('f') ? reader.whole('f', 0, Number.MAX_SAFE_INTEGER) : 0,
    endpoints: reader.members('e', listLengthMax, readEndpoint),
    networks: reader.members('d', listLengthMax, readNetwork),
    ...(reader.has('g') ? { routing: reader.member('g', readRouting) } : {}),
    ...(reader.has('c') ? { complaints: reader.texts('c', listLengthMax, textLengthMax) } : {}),
    ...(reader.has('x') ? { restartGivenUp: reader.flag('x') } : {}),
  }
}

function readService(reader: FieldReader): ServiceId {
  const text = reader.text('s', nameLengthMax)
  if (isServiceId(text)) return text
  reader.fail('s: not a service id')
  return serviceId('unreadable')
}

/** A state this version does not know makes the record unreadable here: better unseen than routed by a guess. */
function readState(reader: FieldReader): InstanceState {
  const state = states.get(reader.text('h', 1))
  if (state === undefined) reader.fail('h: not a known state')
  return state ?? 'stopped'
}

function packEndpoint({ protocol, containerPort, hostIp, hostPort }: Endpoint): PackedMap {
  return { u: protocol === 'udp' ? true : undefined, c: containerPort, i: hostIp, h: hostPort }
}

function readEndpoint(reader: FieldReader): Endpoint {
  return {
    protocol: reader.has('u') && reader.flag('u') ? 'udp' : 'tcp',
    containerPort: readPort(reader, 'c'),
    ...(reader.has('i') ? { hostIp: reader.text('i', 45, ipPattern) } : {}),
    ...(reader.has('h') ? { hostPort: readPort(reader, 'h') } : {}),
  }
}

function readNetwork(reader: FieldReader): NetworkAttachment {
  return { network: reader.text('n', nameLengthMax), ip: reader.text('i', 45, ipPattern) }
}

/** `name@provider`, each as long as a label reading lets through. */
const middlewareLengthMax = 180

function packRouting({ host, port, scheme, routers, network }: RoutingWish): PackedMap {
  return { h: host, p: port, s: scheme === 'https' ? true : undefined, r: routers.map(packRouter), n: network }
}

function readRouting(reader: FieldReader): RoutingWish {
  return {
    host: reader.text('h', 253, hostPattern),
    ...(reader.has('p') ? { port: readPort(reader, 'p') } : {}),
    scheme: reader.has('s') && reader.flag('s') ? 'https' : 'http',
    routers: reader.members('r', listLengthMax, readRouter),
    ...(reader.has('n') ? { network: reader.text('n', nameLengthMax) } : {}),
  }
}

function packRouter({ name, rule, entryPoints, priority, middlewares }: RouterWish): PackedMap {
  return { n: name, r: rule, e: entryPoints, p: priority, m: middlewares }
}

function readRouter(reader: FieldReader): RouterWish {
  return {
    name: reader.text('n', nameLengthMax),
    rule: reader.text('r', textLengthMax),
    ...(reader.has('e') ? { entryPoints: reader.texts('e', listLengthMax, nameLengthMax) } : {}),
    ...(reader.has('p') ? { priority: reader.whole('p', -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) } : {}),
    // Losing these would publish a router without its password on every other node.
    ...(reader.has('m') ? { middlewares: reader.texts('m', listLengthMax, middlewareLengthMax) } : {}),
  }
}

function readPort(reader: FieldReader, name: string): number {
  return reader.whole(name, 1, 65_535)
}
