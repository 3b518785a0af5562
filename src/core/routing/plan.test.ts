import { describe, expect, test } from 'vitest'
import { nodeName, serviceId } from '../../kernel/units.ts'
import type { ClusterView, InstanceView, NodeView, RouterWish } from '../registry/index.ts'
import { aNodeView, anInstanceView, aProfile, aRoutingWish, aView } from '../../testing/builders.ts'
import { planRoutes } from './plan.ts'
import type { Pool, RoutePlan } from './types.ts'

const domain = 'example.org'

/** An instance of shop:web (or `over.service`) that publishes 18080 on every address. */
function instance(node: string, containerId: string, over: Partial<InstanceView> = {}): InstanceView {
  return anInstanceView({ node: nodeName(node), containerId, containerName: containerId, ...over })
}

function node(name: string, instances: readonly InstanceView[], over: Partial<NodeView> = {}): NodeView {
  const last = name.charCodeAt(name.length - 1) - 96
  return aNodeView({ name: nodeName(name), address: { ip: `100.64.0.${last}`, port: 7946 }, instances, ...over })
}

function plan(nodes: readonly NodeView[], over: Partial<ClusterView> = {}): RoutePlan {
  return planRoutes(aView({ nodes, ...over }), { domain })
}

function pool(made: RoutePlan, name: string): Pool | undefined {
  return made.pools.find(candidate => candidate.name === name)
}

function addresses(made: RoutePlan, name: string): readonly string[] | undefined {
  return pool(made, name)?.members.map(({ via, address }) => `${via} ${address.ip}:${address.port}`)
}

const published = (hostIp: string, hostPort = 18080) => [
  { protocol: 'tcp' as const, containerPort: 80, hostIp, hostPort },
]
const hidden = { endpoints: [{ protocol: 'tcp' as const, containerPort: 80 }] }

test('a service is reached by two patterns in every plan: over all nodes, and on each node', () => {
  const made = plan([node('node-a', [instance('node-a', 'c1')]), node('node-b', [instance('node-b', 'c2')])])
  expect(made).toMatchObject({
    routes: [
      { name: 'shop~web', rule: 'Host(`web.example.org`)', hosts: ['web.example.org'], pool: 'shop~web' },
      { name: 'shop~web~~node-a', rule: 'Host(`web.node-a.example.org`)', pool: 'shop~web~~node-a' },
      { name: 'shop~web~~node-b', rule: 'Host(`web.node-b.example.org`)', pool: 'shop~web~~node-b' },
    ],
    complaints: [],
  })
  expect(addresses(made, 'shop~web')).toEqual(['instance 100.64.0.1:18080', 'instance 100.64.0.2:18080'])
  expect(addresses(made, 'shop~web~~node-b')).toEqual(['instance 100.64.0.2:18080'])
  expect(pool(made, 'shop~web')?.members.map(member => member.local)).toEqual([true, false])
})

describe('the way to an instance', () => {
  const bridge = [
    { network: 'zeta', ip: '172.20.0.9' },
    { network: 'alpha', ip: '172.19.0.9' },
  ]
  test.each<[string, Partial<InstanceView>, string | undefined, string | undefined]>([
    ['published on every address', { endpoints: published('0.0.0.0') }, 'mesh:18080', 'mesh:18080'],
    ['published on every IPv6 address', { endpoints: published('::') }, 'mesh:18080', 'mesh:18080'],
    ['published on the mesh address', { endpoints: published('100.64.0.1') }, 'mesh:18080', 'mesh:18080'],
    ['published on another address', { endpoints: published('192.0.2.7'), networks: bridge }, '172.19.0.9:80', 'proxy'],
    ['not published', { ...hidden, networks: bridge }, '172.19.0.9:80', 'proxy'],
    [
      'not published, wishing for a network',
      { ...hidden, networks: bridge, routing: aRoutingWish({ network: 'zeta' }) },
      '172.20.0.9:80',
      'proxy',
    ],
    [
      'not published, wishing for a network it is not on',
      { ...hidden, networks: bridge, routing: aRoutingWish({ network: 'beta' }) },
      '172.19.0.9:80',
      'proxy',
    ],
    [
      'published on the loopback only',
      { endpoints: published('127.0.0.1', 9000), networks: [] },
      '127.0.0.1:9000',
      'proxy',
    ],
    ['on the network of its node', { ...hidden, networks: [{ network: 'host', ip: '' }] }, 'mesh:80', 'mesh:80'],
    ['without any address', { ...hidden, networks: [] }, undefined, 'proxy'],
    [
      'published for another port',
      { endpoints: [{ protocol: 'tcp', containerPort: 81, hostIp: '0.0.0.0', hostPort: 18081 }], networks: [] },
      undefined,
      'proxy',
    ],
    [
      'published as UDP',
      { endpoints: [{ protocol: 'udp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 18080 }], networks: [] },
      undefined,
      'proxy',
    ],
    ['without a port', { routing: { host: 'web', scheme: 'http', routers: [] } }, undefined, undefined],
  ])('%s', (_, over, local, remote) => {
    const nodes = [node('node-a', [instance('node-a', 'c1', over)]), node('node-b', [])]
    const words = { mesh: 'instance 100.64.0.1', proxy: 'peerProxy 100.64.0.1:8082' }
    const expected = (word: string | undefined): readonly string[] => {
      if (word === undefined) return []
      if (word === 'proxy') return [words.proxy]
      return [word.startsWith('mesh') ? word.replace('mesh', words.mesh) : `instance ${word}`]
    }
    expect(addresses(plan(nodes), 'shop~web')).toEqual(expected(local))
    expect(addresses(plan(nodes, { self: nodeName('node-b') }), 'shop~web')).toEqual(expected(remote))
  })

  test('one member stands for all instances behind the proxy of a node, published ones stand for themselves', () => {
    const wish = { routing: aRoutingWish({ scheme: 'https' }) }
    const nodes = [
      node('node-a', []),
      node('node-b', [
        instance('node-b', 'c3', { ...hidden, ...wish }),
        instance('node-b', 'c1', { ...hidden, ...wish, traffic: 'lastResort' }),
        instance('node-b', 'c2', wish),
      ]),
    ]
    expect(pool(plan(nodes), 'shop~web')?.members).toMatchObject([
      { via: 'instance', scheme: 'https', instance: { containerId: 'c2' } },
      { via: 'peerProxy', scheme: 'http', instance: { containerId: 'c3' }, traffic: 'yes' },
    ])
  })

  test.each([
    ['up', 1],
    ['unknown', 1],
    ['restarting', 0],
    ['agentDown', 0],
    ['left', 0],
  ] as const)('with its agent %s a node has %i members behind its proxy', (agent, count) => {
    const nodes = [node('node-a', []), node('node-b', [instance('node-b', 'c1', hidden)], { agent })]
    expect(pool(plan(nodes), 'shop~web')?.members.length).toBe(count)
  })

  test('an agent that is down takes nothing from an instance that publishes its port', () => {
    const nodes = [node('node-a', []), node('node-b', [instance('node-b', 'c1')], { agent: 'agentDown' })]
    expect(addresses(plan(nodes), 'shop~web')).toEqual(['instance 100.64.0.2:18080'])
  })

  test('a member carries the priority of its node', () => {
    const nodes = [node('node-a', [instance('node-a', 'c1')], { profile: aProfile({ priority: 10 }) })]
    expect(pool(plan(nodes), 'shop~web')?.members).toMatchObject([{ priority: 10 }])
  })
})

test('a service none of whose instances may receive traffic keeps its routes and an empty pool', () => {
  const made = plan([node('node-a', [instance('node-a', 'c1', { traffic: 'no', state: 'unhealthy' })])])
  expect(made.routes.map(route => route.name)).toEqual(['shop~web', 'shop~web~~node-a'])
  expect(made.pools.map(({ members }) => members)).toEqual([[], []])
})

test('a container without a routing wish is not routed', () => {
  const { routing: _, ...observed } = instance('node-a', 'c1')
  expect(plan([node('node-a', [observed])])).toEqual({ routes: [], pools: [], complaints: [] })
})

describe('two services that want one host', () => {
  const nodes = [
    node('node-a', [
      instance('node-a', 'c1', { service: serviceId('blog:web') }),
      instance('node-a', 'c2', { service: serviceId('shop:web') }),
    ]),
    node('node-b', [instance('node-b', 'c3', { service: serviceId('shop:web') })]),
  ]

  test('the first by name keeps it, and the other is told', () => {
    const made = plan(nodes)
    expect(made.routes.map(route => [route.hosts[0], route.pool])).toEqual([
      ['web.example.org', 'blog~web'],
      ['web.node-a.example.org', 'blog~web~~node-a'],
      ['web.node-b.example.org', 'shop~web~~node-b'],
    ])
    expect(made.complaints).toEqual([
      'shop:web: web.example.org belongs to blog:web',
      'shop:web: web.node-a.example.org belongs to blog:web',
    ])
  })

  test('they are never balanced together', () => {
    expect(pool(plan(nodes), 'blog~web')?.members.map(member => member.instance.containerId)).toEqual(['c1'])
  })
})

test('two nodes whose names are one to DNS share no host', () => {
  const made = plan([node('node.a', [instance('node.a', 'c1')]), node('node-a', [instance('node-a', 'c2')])])
  expect(made.routes.map(route => route.pool)).toEqual(['shop~web', 'shop~web~~node-a'])
  expect(made.complaints).toEqual([
    'shop:web: web.node-a.example.org means two nodes, because DNS cannot tell their names apart',
  ])
})

test('a node whose name has nothing for DNS gets no host of its own, and says so', () => {
  const made = plan([node('節点', [instance('節点', 'c1')])])
  expect(made.routes.map(route => route.name)).toEqual(['shop~web'])
  expect(made.complaints).toEqual(['node 節点 has no host names: nothing in its name fits DNS'])
})

describe('routers from labels', () => {
  const api: RouterWish = {
    name: 'api',
    rule: 'Host(`api.example.net`) && PathPrefix(`/v1`)',
    entryPoints: ['web'],
    priority: 7,
    middlewares: ['auth@file'],
  }
  const labelled = (
    node: string,
    containerId: string,
    routers: readonly RouterWish[],
    over: Partial<InstanceView> = {},
  ) => instance(node, containerId, { routing: aRoutingWish({ routers }), ...over })

  test('lead to the pool over all nodes', () => {
    const made = plan([node('node-a', [labelled('node-a', 'c1', [api])]), node('node-b', [instance('node-b', 'c2')])])
    expect(made.routes).toContainEqual({
      name: 'shop~web+api',
      rule: api.rule,
      hosts: ['api.example.net'],
      entryPoints: ['web'],
      priority: 7,
      middlewares: ['auth@file'],
      pool: 'shop~web',
    })
  })

  test('guard the default hosts with their middlewares, too', () => {
    const made = plan([node('node-a', [labelled('node-a', 'c1', [api])])])
    expect(made.routes.map(route => route.middlewares)).toEqual([['auth@file'], ['auth@file'], ['auth@file']])
  })

  test('stand in for a default host they name', () => {
    const own = { name: 'main', rule: 'Host("WEB.example.org")', entryPoints: ['internal'] }
    const made = plan([node('node-a', [labelled('node-a', 'c1', [own])])])
    expect(made.routes.map(route => route.name)).toEqual(['shop~web+main', 'shop~web~~node-a'])
    expect(made.complaints).toEqual([])
  })

  test('may share a host by path, or a rule by entry point, but never both', () => {
    const other = (name: string, router: RouterWish) =>
      labelled('node-a', name, [router], {
        service: serviceId(`z:${name}`),
        routing: aRoutingWish({ host: name, routers: [router] }),
      })
    const made = plan([
      node('node-a', [
        labelled('node-a', 'c0', [api]),
        other('path', { ...api, rule: 'Host(`api.example.net`)' }),
        other('entry', { ...api, entryPoints: ['websecure'] }),
        other('both', { ...api, entryPoints: ['web', 'metrics'] }),
      ]),
    ])
    expect(made.routes.filter(route => route.name.includes('+')).map(route => route.name)).toEqual([
      'shop~web+api',
      'z~entry+api',
      'z~path+api',
    ])
    expect(made.complaints).toEqual(['z:both: router api wants a rule that shop:web already has'])
  })

  test('that differ between instances follow the one that receives traffic', () => {
    const old = { ...api, rule: 'Host(`old.example.net`)' }
    const made = plan([
      node('node-a', [labelled('node-a', 'c1', [old], { traffic: 'no' })]),
      node('node-b', [labelled('node-b', 'c2', [api])]),
    ])
    expect(made.routes.find(route => route.name === 'shop~web+api')?.hosts).toEqual(['api.example.net'])
    expect(made.complaints).toEqual(['shop:web: router api differs on node-a; the other definition is used'])
  })

  test('with a rule this agent cannot read are left out, and the service stays', () => {
    const made = plan([node('node-a', [labelled('node-a', 'c1', [{ ...api, rule: 'Sometimes(`a`)' }])])])
    expect(made.routes.map(route => route.name)).toEqual(['shop~web', 'shop~web~~node-a'])
    expect(made.complaints[0]).toContain('no matcher is called Sometimes')
  })
})

test('a port that cannot be told and an address nobody can dial are reported', () => {
  const made = plan([
    node('node-a', [
      instance('node-a', 'c1', { routing: { host: 'web', scheme: 'http', routers: [] } }),
      instance('node-a', 'c2', {
        ...hidden,
        networks: [],
        service: serviceId('db'),
        routing: aRoutingWish({ host: 'db' }),
      }),
    ]),
  ])
  expect(made.complaints).toEqual([
    'db: c2 on node-a has no address to send requests to',
    'shop:web: no HTTP port can be told on node-a',
  ])
})
