import { expect, test } from 'vitest'
import type { ClusterView, InstanceView, NodeView } from '../core/registry/index.ts'
import { nodeName } from '../kernel/units.ts'
import { aNodeView, anInstanceView, aRoutingWish, aView } from '../testing/builders.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { recordingMetrics } from '../testing/recording-metrics.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { createSubject } from './observable.ts'
import { createRoutingController } from './routing.ts'

const options = { domain: 'example.org', traefik: { version: '3.0', entryPoints: ['websecure'] } }

function viewOf(instances: readonly InstanceView[], over: Partial<ClusterView> = {}): ClusterView {
  return aView({ nodes: [aNodeView({ instances })], ...over })
}

const web = anInstanceView()
const other = anInstanceView({ containerId: 'other', containerName: 'shop-web-2', endpoints: [] })

function lab(first: ClusterView) {
  const clock = new VirtualClock()
  const log = recordingLog()
  const metrics = recordingMetrics()
  const view = createSubject(first)
  const routing = createRoutingController({ view, clock, log, metrics, options })
  const documents: number[] = []
  routing.document.onChange(document => documents.push(document?.generation ?? 0))
  const outcome = (name: string): number => metrics.value('constellation_traefik_documents_total', { outcome: name })
  return { clock, log, metrics, view, routing, documents, outcome }
}

test('there is no document before the view is complete, and one 200 ms after', () => {
  const { clock, view, routing, documents } = lab(viewOf([web], { complete: false }))
  routing.start()
  clock.advance(60_000)
  expect(routing.document.current()).toBeUndefined()
  view.set(viewOf([web]))
  clock.advance(199)
  expect(routing.document.current()).toBeUndefined()
  clock.advance(1)
  expect(routing.document.current()).toMatchObject({ generation: 1, etag: expect.stringMatching(/^"[\w-]{22}"$/) })
  expect(documents).toEqual([1])
})

test('the proxy has a new plan at once, Traefik a burst of changes as one document', () => {
  const { clock, view, routing, documents } = lab(viewOf([web]))
  routing.start()
  clock.advance(200)
  const plans: number[] = []
  routing.plan.onChange(plan => plans.push(plan.pools[0]?.members.length ?? 0))
  view.set(viewOf([web, other]))
  view.set(viewOf([]))
  view.set(viewOf([other]))
  expect(plans).toEqual([2, 0, 1])
  expect(documents).toEqual([1])
  clock.advance(200)
  expect(documents).toEqual([1, 2])
  expect(routing.document.current()?.json).toContain('172.18.0.2:80')
})

test('a storm of changes cannot push the document back', () => {
  const { clock, view, routing } = lab(viewOf([web]))
  routing.start()
  clock.advance(200)
  for (let step = 0; step < 40; step++) {
    const changed = anInstanceView({ revision: step + 2, networks: [], endpoints: [port(20_000 + step)] })
    view.set(viewOf([changed]))
    clock.advance(10)
  }
  // 400 ms into the storm the document is at most 200 ms old.
  const served = /:20(\d{3})"/.exec(routing.document.current()?.json ?? '')?.[1]
  expect(Number(served)).toBeGreaterThanOrEqual(19)
})

function port(hostPort: number) {
  return { protocol: 'tcp' as const, containerPort: 80, hostIp: '0.0.0.0', hostPort }
}

test('equal bytes are the same generation, and a view that changes nothing for routing is not even planned', () => {
  const { clock, view, routing, outcome, documents } = lab(viewOf([web]))
  routing.start()
  clock.advance(200)
  const plan = routing.plan.current()
  view.set(viewOf([web], { revision: 2 }))
  expect(routing.plan.current()).toBe(plan)
  expect(clock.pendingTimers).toBe(0)
  view.set(viewOf([{ ...web, revision: 2 }], { revision: 3 }))
  clock.advance(200)
  expect(documents).toEqual([1])
  expect([outcome('changed'), outcome('unchanged')]).toEqual([1, 1])
})

test('when the last service goes its route is gone, and the document still is not empty', () => {
  const { clock, view, routing, outcome } = lab(viewOf([web]))
  routing.start()
  clock.advance(200)
  view.set(viewOf([]))
  clock.advance(200)
  view.set(viewOf([], { nodes: [] }))
  clock.advance(200)
  const json = routing.document.current()?.json ?? ''
  expect(json).not.toContain('web')
  expect(Object.keys((JSON.parse(json) as { http: { routers: object } }).http.routers)).toEqual([
    'constellation~nothing',
  ])
  expect([outcome('changed'), outcome('rejected')]).toEqual([2, 0])
})

test('a document that is not good is counted, reported once, and the last good one stays', () => {
  const { clock, view, routing, outcome, log } = lab(viewOf([web]))
  routing.start()
  clock.advance(200)
  const good = routing.document.current()
  // No address our agents gossip looks like this; it stands for whatever defect of ours gets this far.
  const broken = (n: number): NodeView => aNodeView({ address: { ip: 'not an address', port: n }, instances: [web] })
  view.set(aView({ nodes: [broken(1)] }))
  clock.advance(200)
  view.set(aView({ nodes: [{ ...broken(2), agent: 'restarting' }] }))
  clock.advance(200)
  expect(routing.document.current()).toBe(good)
  expect(outcome('rejected')).toBe(2)
  const errors = log.lines.filter(line => line.level === 'error')
  expect(errors.map(line => line.fields['problem'])).toEqual([
    'http.services.shop~web.loadBalancer.servers: bad-address: "http://not an address:18080" leads nowhere',
    'http.services.shop~web~~node-a.loadBalancer.servers: bad-address: "http://not an address:18080" leads nowhere',
  ])
  view.set(viewOf([web, other]))
  clock.advance(200)
  expect(routing.document.current()?.generation).toBe(2)
})

test('every instance that enters or leaves the routes is a line with the key of its walk', () => {
  const { view, routing, log } = lab(viewOf([web]))
  routing.start()
  const unhealthy: InstanceView = { ...web, revision: 8, traffic: 'no', trafficReason: 'its check fails' }
  view.set(viewOf([unhealthy]))
  view.set(viewOf([]))
  view.set(viewOf([{ ...web, revision: 9 }]))
  view.set(viewOf([]))
  expect(log.lines.map(({ message, fields }) => [message, fields.key, fields['reason']])).toEqual([
    ['route gained an instance', 'shop:web@node-a#1', undefined],
    ['route lost an instance', 'shop:web@node-a#8', 'its check fails'],
    ['route gained an instance', 'shop:web@node-a#9', undefined],
    ['route lost an instance', 'shop:web@node-a#9', 'it is gone'],
  ])
})

test('complaints of the plan are a gauge', () => {
  const { metrics, routing } = lab(viewOf([{ ...web, routing: { host: 'web', scheme: 'http', routers: [] } }]))
  routing.start()
  expect(metrics.value('constellation_route_complaints')).toBe(1)
})

test('after stop nothing is planned and no timer is left', () => {
  const { clock, view, routing } = lab(viewOf([web]))
  routing.start()
  view.set(viewOf([web, other]))
  routing.stop()
  expect(clock.pendingTimers).toBe(0)
  const plan = routing.plan.current()
  view.set(
    aView({
      nodes: [aNodeView({ name: nodeName('node-b'), instances: [anInstanceView({ routing: aRoutingWish() })] })],
    }),
  )
  expect(routing.plan.current()).toBe(plan)
})
