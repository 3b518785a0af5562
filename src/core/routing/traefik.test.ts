import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stableJson } from '../../kernel/stable-json.ts'
import { isNodeName, nodeName, serviceId } from '../../kernel/units.ts'
import { aNodeView, anInstanceView, aProfile, aRoutingWish, aView } from '../../testing/builders.ts'
import type { ClusterView, InstanceView, NodeView, RouterWish, RoutingWish } from '../registry/index.ts'
import { planRoutes } from './plan.ts'
import { createRoutePlanner } from './planner.ts'
import { traefikDocument } from './traefik.ts'
import type { DocumentOptions } from './traefik.ts'
import { validateTraefikDocument } from './validate.ts'

const domain = 'example.org'
const plainOptions: DocumentOptions = { entryPoints: ['websecure'] }

function documentOf(view: ClusterView, options: DocumentOptions = plainOptions): string {
  return stableJson(traefikDocument(planRoutes(view, { domain }), options))
}

function viewOf(instances: readonly InstanceView[]): ClusterView {
  return aView({ nodes: [aNodeView({ instances })] })
}

test('a view of one service becomes this document', () => {
  expect(JSON.parse(documentOf(viewOf([anInstanceView()])))).toEqual({
    http: {
      routers: {
        'shop~web': { entryPoints: ['websecure'], rule: 'Host(`web.example.org`)', service: 'shop~web' },
        'shop~web~~node-a': {
          entryPoints: ['websecure'],
          rule: 'Host(`web.node-a.example.org`)',
          service: 'shop~web~~node-a',
        },
      },
      services: {
        'shop~web': { loadBalancer: { servers: [{ url: 'http://100.64.0.1:18080' }] } },
        'shop~web~~node-a': { loadBalancer: { servers: [{ url: 'http://100.64.0.1:18080' }] } },
      },
    },
  })
})

test.each<[string, Partial<DocumentOptions>, unknown]>([
  ['without TLS', {}, undefined],
  ['with TLS and no resolver', { tls: true }, {}],
  ['with a resolver', { certResolver: 'le' }, { certResolver: 'le' }],
  [
    'with a resolver and what it shall certify',
    { certResolver: 'le', certificateDomains: [{ main: 'example.org', sans: ['*.example.org'] }] },
    { certResolver: 'le', domains: [{ main: 'example.org', sans: ['*.example.org'] }] },
  ],
])('%s', (_, over, tls) => {
  const body = documentOf(viewOf([anInstanceView()]), { ...plainOptions, ...over })
  const { http } = JSON.parse(body) as { http: { routers: Record<string, { tls?: unknown }> } }
  expect(http.routers['shop~web']?.tls).toEqual(tls)
  expect(validateTraefikDocument(body)).toMatchObject({ ok: true })
})

test('a router that asks for an entry point of its own gets no TLS with it', () => {
  const routers = [{ name: 'plain', rule: 'Host(`plain.example.net`)', entryPoints: ['web'] }]
  const body = documentOf(viewOf([anInstanceView({ routing: aRoutingWish({ routers }) })]), {
    ...plainOptions,
    tls: true,
  })
  const { http } = JSON.parse(body) as { http: { routers: Record<string, unknown> } }
  expect(http.routers['shop~web+plain']).not.toHaveProperty('tls')
})

test('without entry points of ours Traefik chooses its own', () => {
  expect(documentOf(viewOf([anInstanceView()]), { entryPoints: [] })).not.toContain('entryPoints')
})

test('a server of a suspected node is named only when there is no other', () => {
  const of = (traffic: 'yes' | 'lastResort', ip: string, name: string): NodeView =>
    aNodeView({
      name: nodeName(name),
      address: { ip, port: 7946 },
      instances: [anInstanceView({ node: nodeName(name), containerId: name, traffic })],
    })
  const urls = (view: ClusterView): readonly string[] => {
    const { http } = JSON.parse(documentOf(view)) as {
      http: { services: Record<string, { loadBalancer: { servers: { url: string }[] } }> }
    }
    return http.services['shop~web']?.loadBalancer.servers.map(({ url }) => url) ?? []
  }
  const suspected = of('lastResort', '100.64.0.2', 'node-b')
  expect(urls(aView({ nodes: [of('yes', '100.64.0.1', 'node-a'), suspected] }))).toEqual(['http://100.64.0.1:18080'])
  expect(urls(aView({ nodes: [of('lastResort', '100.64.0.1', 'node-a'), suspected] }))).toEqual([
    'http://100.64.0.1:18080',
    'http://100.64.0.2:18080',
  ])
})

test('an IPv6 address is written in brackets', () => {
  const node = aNodeView({ address: { ip: 'fd7a:115c::1', port: 7946 }, instances: [anInstanceView()] })
  const body = documentOf(aView({ nodes: [node] }))
  expect(body).toContain('"http://[fd7a:115c::1]:18080"')
  expect(validateTraefikDocument(body).ok).toBe(true)
})

/** Labels of the Traefik labels we read, as another agent would have checked them. */
const routerWish: fc.Arbitrary<RouterWish> = fc.record(
  {
    name: fc.stringMatching(/^[\w-]{1,12}$/),
    rule: fc.constantFrom('Host(`x.test`)', 'Host(`y.test`) && PathPrefix(`/api`)', 'PathPrefix(`/`)', 'Path(`/"q"`)'),
    entryPoints: fc.array(fc.constantFrom('web', 'websecure', 'internal'), { maxLength: 2 }),
    priority: fc.integer({ min: -5, max: 500 }),
    middlewares: fc.array(fc.constantFrom('auth@file', 'gzip@docker'), { maxLength: 2 }),
  },
  { requiredKeys: ['name', 'rule'] },
)
const wish: fc.Arbitrary<RoutingWish> = fc.record(
  {
    host: fc.stringMatching(/^[a-z0-9]{1,8}$/),
    port: fc.integer({ min: 1, max: 65_535 }),
    scheme: fc.constantFrom('http' as const, 'https' as const),
    routers: fc.array(routerWish, { maxLength: 3 }),
    network: fc.constantFrom('edge', 'back'),
  },
  { requiredKeys: ['host', 'scheme', 'routers'] },
)
const ip = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter(text => !text.includes('.')),
  fc.constantFrom('0.0.0.0', '::', '127.0.0.1', '100.64.0.1'),
)
const port = fc.integer({ min: 1, max: 65_535 })
const instance: fc.Arbitrary<InstanceView> = fc
  .record({
    service: fc.stringMatching(/^[A-Za-z0-9][\w.-]{0,6}(:[A-Za-z0-9][\w.-]{0,6})?$/).map(serviceId),
    containerId: fc.stringMatching(/^[0-9a-f]{12}$/),
    traffic: fc.constantFrom('yes' as const, 'lastResort' as const, 'no' as const),
    routing: wish,
    published: fc.array(fc.record({ hostIp: ip, hostPort: port }), { maxLength: 2 }),
    networks: fc.array(fc.record({ network: fc.constantFrom('edge', 'back', 'host'), ip: fc.ipV4() }), {
      maxLength: 2,
    }),
  })
  .map(({ published, ...rest }) =>
    anInstanceView({
      ...rest,
      endpoints: published.map(at => ({ protocol: 'tcp', containerPort: rest.routing.port ?? 80, ...at })),
    }),
  )
const node: fc.Arbitrary<NodeView> = fc
  .record({
    name: fc.oneof(
      fc.stringMatching(/^[a-z]{1,6}$/),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter(isNodeName),
    ),
    ip,
    agent: fc.constantFrom('up' as const, 'restarting' as const, 'agentDown' as const, 'unknown' as const),
    instances: fc.uniqueArray(instance, { maxLength: 6, selector: ({ containerId }) => containerId }),
    priority: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ name, ip, priority, instances, ...rest }) =>
    aNodeView({
      ...rest,
      name: nodeName(name),
      address: { ip, port: 7946 },
      profile: aProfile({ priority }),
      instances: instances.map(each => ({ ...each, node: nodeName(name) })),
    }),
  )
const view: fc.Arbitrary<ClusterView> = fc
  .uniqueArray(node, { minLength: 1, maxLength: 5, selector: ({ name }) => name })
  .map(nodes => aView({ nodes, self: nodes[0]?.name ?? nodeName('node-a') }))

describe('documents of any view', { timeout: 60_000 }, () => {
  const schema = JSON.parse(
    readFileSync(new URL('../../../test/data/traefik/traefik-v3.0-strict.schema.json', import.meta.url), 'utf8'),
  ) as object
  const fitsSchema = new Ajv2020({ strict: false }).compile(schema)

  test('hold to the strict schema of Traefik 3.0 and to our own judgement', () => {
    let served = 0
    fc.assert(
      fc.property(view, fc.boolean(), (view, tls) => {
        const body = documentOf(view, { entryPoints: ['websecure'], tls })
        const verdict = validateTraefikDocument(body)
        if (!body.includes('constellation~nothing')) served++
        expect(fitsSchema(JSON.parse(body)), JSON.stringify(fitsSchema.errors)).toBe(true)
        expect(verdict).toEqual({ ok: true, decodes: true, problems: [] })
        return true
      }),
      { numRuns: 200 },
    )
    expect(served).toBeGreaterThan(100)
  })

  test('are the same bytes whatever the order in which the parts of the view arrived', () => {
    const shuffled = view.chain(view =>
      fc.record({
        view: fc.constant(view),
        nodes: fc.shuffledSubarray([...view.nodes], { minLength: view.nodes.length }),
        turns: fc.array(fc.nat(5), { minLength: 5, maxLength: 5 }),
      }),
    )
    const turned = <T>(items: readonly T[], by: number): readonly T[] => [...items.slice(by), ...items.slice(0, by)]
    fc.assert(
      fc.property(shuffled, ({ view, nodes, turns }) => {
        const arrived = nodes.map((node, index) => ({
          ...node,
          instances: turned(node.instances, turns[index] ?? 0)
            .toReversed()
            .map(each => ({ ...each, networks: each.networks.toReversed() })),
        }))
        const again = planRoutes({ ...view, nodes: arrived }, { domain })
        expect(again.complaints).toEqual(planRoutes(view, { domain }).complaints)
        expect(stableJson(traefikDocument(again, plainOptions))).toBe(documentOf(view))
      }),
      { numRuns: 200 },
    )
  })
})

describe('a hundred nodes with sixty services each', () => {
  const nodes = Array.from({ length: 100 }, (_, n) => {
    const name = nodeName(`node-${String(n).padStart(3, '0')}`)
    const instances = Array.from({ length: 60 }, (_, s) =>
      anInstanceView({
        node: name,
        service: serviceId(`shop:web-${s}`),
        containerId: `${n}-${s}`,
        routing: aRoutingWish({
          host: `web-${s}`,
          routers: [{ name: 'main', rule: `Host(\`web-${s}.example.net\`) && PathPrefix(\`/\`)` }],
        }),
        endpoints: [{ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 10_000 + s }],
      }),
    )
    return aNodeView({ name, address: { ip: `100.64.1.${n + 1}`, port: 7946 }, instances })
  })
  const large = aView({ nodes, self: nodeName('node-000') })

  /** The best of several runs: other work on this machine can only add time. */
  function bestMs(runs: number, work: () => void): number {
    let best = Number.POSITIVE_INFINITY
    for (let run = 0; run < runs; run++) {
      const before = performance.now()
      work()
      best = Math.min(best, performance.now() - before)
    }
    return best
  }

  // About 100 ms on an idle core. The bound leaves room for a machine that runs ten other things, and none for a
  // quadratic step, which would take minutes.
  test('are planned, written and judged in a fraction of a second', { timeout: 60_000 }, () => {
    const tookMs = bestMs(3, () => {
      const body = documentOf(large)
      expect(validateTraefikDocument(body).ok).toBe(true)
    })
    expect(tookMs).toBeLessThan(3_000)
  })

  test('cost next to nothing while nothing that matters to routing changes', () => {
    const planner = createRoutePlanner({ domain })
    const plan = planner(large)
    const relisted = large.nodes.map(node => ({ ...node, instances: node.instances.map(each => ({ ...each })) }))
    const sameForUs = [{ ...large, revision: 2 }, { ...large, revision: 3, nodes: relisted }, large]
    for (const view of sameForUs) expect(planner(view)).toBe(plan)
    const tookMs = bestMs(20, () => sameForUs.forEach(view => planner(view)))
    expect(tookMs / sameForUs.length).toBeLessThan(20)
  })
})

test.each<[string, (node: NodeView) => NodeView]>([
  ['traffic', node => ({ ...node, instances: node.instances.map(each => ({ ...each, traffic: 'no' as const })) })],
  ['revision', node => ({ ...node, instances: node.instances.map(each => ({ ...each, revision: 9 })) })],
  ['address', node => ({ ...node, address: { ip: '100.64.9.9', port: 7946 } })],
  ['agent', node => ({ ...node, agent: 'agentDown' })],
  ['proxy port', node => ({ ...node, profile: aProfile({ proxyPort: 9999 }) })],
  ['instances', node => ({ ...node, instances: [] })],
])('a change of %s is planned anew', (_, change) => {
  const planner = createRoutePlanner({ domain })
  const node = aNodeView({ instances: [anInstanceView()] })
  const before = planner(aView({ nodes: [node] }))
  expect(planner(aView({ nodes: [change(node)] }))).not.toBe(before)
})
