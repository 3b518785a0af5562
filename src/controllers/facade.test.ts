import { noStats } from '../core/membership/index.ts'
import { describe, expect, test } from 'vitest'
import type { ClusterView } from '../core/registry/index.ts'
import { planRoutes } from '../core/routing/index.ts'
import { nodeName, serviceId } from '../kernel/units.ts'
import { aNodeView, aView, anInstanceView } from '../testing/builders.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import type { EngineState } from './answers.ts'
import { createFacade, type Facade } from './facade.ts'
import type { Observable, TraefikDocument } from './handles.ts'

const a = nodeName('node-a')
const b = nodeName('node-b')
const { routing: _routing, ...unrouted } = anInstanceView()

interface Scene {
  readonly view?: ClusterView
  readonly document?: TraefikDocument
  readonly engine?: EngineState
}

function facadeOf({ view = aView(), document, engine = { kind: 'docker', connected: true } }: Scene): Facade {
  const clock = new VirtualClock()
  const facade = createFacade({
    view: fixed(view),
    plan: fixed(planRoutes(view, { domain: 'example.org' })),
    document: fixed(document),
    cluster: { stats: () => gossip, keys: () => Promise.resolve({ nodes: [] }) },
    gossip: { gossip: never, gossipMembers: never, trace: never },
    engine: () => engine,
    clock,
    domain: 'example.org',
    version: '1.2.3',
  })
  clock.advance(1_500)
  return facade
}

/** Asked of the gossip alone; see gossip-answers.test.ts. */
function never(): never {
  throw new Error('nobody asks for this here')
}

const gossip = {
  ...noStats,
  probes: 9,
  packetsSent: 9,
  packetsReceived: 9,
  bytesSent: 900,
  bytesReceived: 900,
}

function fixed<T>(value: T): Observable<T> {
  return { current: () => value, onChange: () => () => undefined }
}

function viewOf(...instances: readonly ReturnType<typeof anInstanceView>[]): ClusterView {
  return aView({
    revision: 7,
    nodes: [a, b].map(name => aNodeView({ name, instances: instances.filter(one => one.node === name) })),
  })
}

describe('the state of a service', () => {
  const bad = { state: 'unhealthy', traffic: 'no', trafficReason: 'unhealthy' } as const
  const last = { traffic: 'lastResort', trafficReason: 'its node is suspected' } as const
  const ended = { state: 'stopped', traffic: 'no', trafficReason: 'stopped' } as const

  test.each([
    ['every instance receives traffic', {}, {}, 'healthy'],
    ['one of two does', {}, bad, 'degraded'],
    ['one is a last resort', {}, last, 'degraded'],
    ['all are a last resort', last, last, 'degraded'],
    ['none does', bad, bad, 'down'],
    ['a routed one was stopped everywhere', ended, ended, 'down'],
    ['its labels ask for what cannot be given', {}, { complaints: ['port "x" is no port'] }, 'degraded'],
  ] as const)('%s', (_, onA, onB, state) => {
    const view = viewOf(anInstanceView({ node: a, ...onA }), anInstanceView({ node: b, ...onB }))
    expect(facadeOf({ view }).services().services[0]?.state).toBe(state)
  })

  test('a job that has ended and is not routed is stopped, not down', () => {
    const view = viewOf({ ...unrouted, node: a, ...ended })
    expect(facadeOf({ view }).services().services[0]).toMatchObject({ state: 'stopped', routed: false, hosts: [] })
  })
})

test('a service names its hosts, where each instance is reached and why one is not', () => {
  const view = viewOf(
    anInstanceView({ node: a }),
    anInstanceView({
      node: b,
      state: 'unhealthy',
      reason: 'exit 1',
      traffic: 'no',
      trafficReason: 'unhealthy: exit 1',
    }),
  )
  expect(facadeOf({ view }).service('shop:web')).toMatchObject({
    kind: 'found',
    service: {
      id: 'shop:web',
      state: 'degraded',
      hosts: ['web.example.org', 'web.node-a.example.org', 'web.node-b.example.org'],
      instances: [
        {
          node: 'node-a',
          traffic: 'yes',
          since: '2023-11-14T22:13:20.000Z',
          upstream: { url: expect.stringMatching(/^http:/), via: 'instance' },
        },
        { node: 'node-b', traffic: 'no', trafficReason: 'unhealthy: exit 1', reason: 'exit 1' },
      ],
    },
  })
})

test('what the plan complains about stands beside the service it is about, and no other', () => {
  const view = viewOf(
    anInstanceView({ node: a, service: serviceId('shop:web'), containerId: 'c1' }),
    anInstanceView({ node: a, service: serviceId('toy:web'), containerId: 'c2' }),
    anInstanceView({ node: a, service: serviceId('toy'), containerId: 'c3', routing: { ...routingAt('toy') } }),
  )
  const { services } = facadeOf({ view }).services()
  const complaining = services.filter(service => service.complaints.length > 0).map(service => service.id)
  expect(complaining).toEqual(['toy:web'])
})

function routingAt(host: string) {
  return { host, port: 80, scheme: 'http', routers: [] } as const
}

test('a service is found by its name when only one project has it', () => {
  const view = viewOf(
    anInstanceView({ node: a, service: serviceId('shop:web'), containerId: 'c1' }),
    anInstanceView({ node: a, service: serviceId('toy:web'), containerId: 'c2' }),
    anInstanceView({ node: a, service: serviceId('toy:db'), containerId: 'c3' }),
  )
  const facade = facadeOf({ view })
  expect(facade.service('db')).toMatchObject({ kind: 'found', service: { id: 'toy:db' } })
  expect(facade.service('web')).toEqual({ kind: 'ambiguous', ids: ['shop:web', 'toy:web'] })
  expect(facade.service('cache')).toEqual({ kind: 'absent' })
})

test('status counts members and services and says how long the agent runs', () => {
  const view = aView({
    revision: 7,
    nodes: [
      aNodeView({ name: a, instances: [anInstanceView()] }),
      aNodeView({ name: b, status: 'dead', agent: 'unknown' }),
    ],
  })
  const document = { json: '{}', etag: '"abc"', generation: 3 }
  expect(facadeOf({ view, document }).status()).toMatchObject({
    node: 'node-a',
    version: '1.2.3',
    uptimeMs: 1_500,
    viewRevision: 7,
    members: { alive: 1, suspect: 0, dead: 1, left: 0 },
    services: { total: 1, healthy: 1, degraded: 0, down: 0, stopped: 0 },
    traefik: { generation: 3, etag: '"abc"', complaints: [] },
    gossip: { probes: 9 },
  })
})

test('a node tells its profile, its facts and what runs on it', () => {
  const facade = facadeOf({ view: viewOf(anInstanceView({ node: b })) })
  expect(facade.node('node-b')).toMatchObject({
    name: 'node-b',
    self: false,
    address: '100.64.0.1:7946',
    role: 'node',
    priority: 50,
    instances: { healthy: 1, unhealthy: 0, starting: 0, stopped: 0 },
    services: [{ id: 'shop:web', instances: [{ containerName: 'shop-web-1' }] }],
  })
  expect(facade.node('node-z')).toBeUndefined()
})

test('a foreign peer without a profile is a node too', () => {
  const { profile: _profile, ...foreign } = aNodeView({ name: b })
  expect(facadeOf({ view: aView({ nodes: [foreign] }) }).nodes().nodes[0]).not.toHaveProperty('role')
})

test('a wall clock that says nonsense costs one field, not the answer', () => {
  const view = viewOf(anInstanceView({ node: a, sinceWallMs: 1e300 }))
  expect(facadeOf({ view }).services().services[0]?.instances[0]).not.toHaveProperty('since')
})

describe('health of the agent', () => {
  const document = { json: '{}', etag: '"abc"', generation: 1 }

  test('it is well when the engine answers, the view is complete and Traefik has its document', () => {
    expect(facadeOf({ document }).health()).toEqual({ ok: true, reasons: [] })
  })

  test.each<[Scene, readonly string[]]>([
    [
      { document, engine: { kind: 'docker', connected: false, reason: 'no such socket' } },
      ['the docker engine does not answer: no such socket'],
    ],
    [
      { view: aView({ complete: false }) },
      ['the view is not complete yet: the engine is to be listed and a peer to be met'],
    ],
    [{}, ['there is no document for Traefik yet']],
  ])('%#: it says what is missing', (scene, reasons) => {
    expect(facadeOf(scene).health()).toEqual({ ok: false, reasons })
  })
})
