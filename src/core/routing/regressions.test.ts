/** What an earlier implementation in another language got wrong, one test each; the number is that of our defect list. */
import { describe, expect, test } from 'vitest'
import { stableJson } from '../../kernel/stable-json.ts'
import { nodeName, serviceId } from '../../kernel/units.ts'
import { aNodeView, anInstanceView, aRoutingWish, aView } from '../../testing/builders.ts'
import type { InstanceView } from '../registry/index.ts'
import { planRoutes } from './plan.ts'
import { traefikDocument } from './traefik.ts'
import { validateTraefikDocument } from './validate.ts'

interface Document {
  readonly http: {
    readonly routers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly services: Readonly<
      Record<string, { readonly loadBalancer: { readonly servers: readonly { url: string }[] } }>
    >
  }
}

function documentOf(instances: readonly InstanceView[], remote: readonly InstanceView[] = []): Document {
  const nodes = [
    aNodeView({ instances }),
    aNodeView({
      name: nodeName('node-b'),
      address: { ip: '100.64.0.2', port: 7946 },
      instances: remote.map(each => ({ ...each, node: nodeName('node-b') })),
    }),
  ]
  const plan = planRoutes(aView({ nodes }), { domain: 'example.org' })
  return JSON.parse(stableJson(traefikDocument(plan, { entryPoints: ['websecure'], tls: true }))) as Document
}

const urlsOf = (document: Document): readonly string[] =>
  Object.values(document.http.services).flatMap(({ loadBalancer }) => loadBalancer.servers.map(({ url }) => url))

const web = anInstanceView()
const hidden = anInstanceView({ containerId: 'hidden', endpoints: [], networks: [{ network: 'n', ip: '172.18.0.5' }] })

test('2: a section polled in place of the document is known to wipe every route', () => {
  const { routers } = documentOf([web]).http
  expect(validateTraefikDocument(JSON.stringify(routers))).toMatchObject({ ok: false, effect: 'removesAllRoutes' })
})

describe('3 and 4: the document has no field and no kind that v3 does not know', () => {
  test('no tcp or udp section, no method, no sticky, no middleware', () => {
    const document = documentOf([web], [hidden])
    expect(Object.keys(document)).toEqual(['http'])
    expect(Object.keys(document.http)).toEqual(['routers', 'services'])
    const kinds = Object.values(document.http.services).flatMap(service => Object.keys(service))
    const fields = Object.values(document.http.services).flatMap(service => Object.keys(service.loadBalancer))
    expect([[...new Set(kinds)], [...new Set(fields)]]).toEqual([['loadBalancer'], ['servers']])
  })
})

test("5: a backend is where the port really is, and 0.0.0.0 is nobody's address", () => {
  const urls = urlsOf(documentOf([web, hidden], [web, hidden]))
  expect([...new Set(urls)].sort()).toEqual([
    'http://100.64.0.1:18080',
    'http://100.64.0.2:18080',
    'http://100.64.0.2:8082',
    'http://172.18.0.5:80',
  ])
})

test('6: no backend is a public name, which could come back to us', () => {
  for (const url of urlsOf(documentOf([web, hidden], [web, hidden]))) expect(url).toMatch(/^http:\/\/[\d.]+:\d+$/)
})

test('7: no health check is made up', () => {
  expect(JSON.stringify(documentOf([web], [web]))).not.toContain('healthCheck')
})

test('8: a service without a healthy member keeps its routers and an empty server list', () => {
  const down = documentOf([{ ...web, traffic: 'no', state: 'unhealthy' }])
  expect(Object.keys(down.http.routers)).toEqual(['shop~web', 'shop~web~~node-a'])
  expect(down.http.services['shop~web']).toEqual({ loadBalancer: { servers: [] } })
})

test('8: servers stand in one order whatever the order of their containers', () => {
  const replicas = ['c3', 'c1', 'c2'].map((containerId, n) =>
    anInstanceView({ containerId, endpoints: [], networks: [{ network: 'n', ip: `172.18.0.${9 - n}` }] }),
  )
  expect(urlsOf(documentOf(replicas))).toEqual(urlsOf(documentOf(replicas.toReversed())))
})

test.each(['redis', 'mongodb', 'mysql', 'postgres'])('9: a service called %s is no TCP router by its name', name => {
  const document = documentOf([{ ...web, service: serviceId(`shop:${name}`), routing: aRoutingWish({ host: name }) }])
  expect(Object.keys(document)).toEqual(['http'])
})

test('10: services that end in the same word stay apart', () => {
  const left = { ...web, service: serviceId('shop:my_web'), routing: aRoutingWish({ host: 'my-web' }) }
  const right = {
    ...web,
    containerId: 'c2',
    service: serviceId('shop:our_web'),
    routing: aRoutingWish({ host: 'our-web' }),
  }
  const names = Object.keys(documentOf([left, right]).http.services)
  expect(names.filter(name => !name.includes('~~'))).toEqual(['shop~my_web', 'shop~our_web'])
})

test.each(['traefik', 'warp-gateway', 'constellation-ui'])('10: a service called %s is not passed over', name => {
  const document = documentOf([{ ...web, service: serviceId(name), routing: aRoutingWish({ host: name }) }])
  expect(document.http.routers[name]).toMatchObject({ rule: `Host(\`${name}.example.org\`)` })
})
