/** Real instances behind a real proxy, all on loopback: what the proxy's integration tests are made of. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nodeClock } from '../../src/adapters/node/clock.ts'
import type { RoutePlanHandle } from '../../src/controllers/handles.ts'
import type { Pool, PoolMember, RoutePlan } from '../../src/core/routing/index.ts'
import { createProxyServer, type ProxyOptions, type ProxyServer } from '../../src/delivery/proxy/index.ts'
import { nodeName, serviceId, type Address } from '../../src/kernel/units.ts'
import { anInstanceView } from '../../src/testing/builders.ts'
import { recordingLog, type RecordingLog } from '../../src/testing/recording-log.ts'
import { recordingMetrics, type RecordingMetrics } from '../../src/testing/recording-metrics.ts'

export interface Instance {
  readonly server: Server
  readonly address: Address
  /** Requests whose head arrived. */
  readonly hits: () => number
}

export interface Rig extends ProxyServer {
  readonly port: number
  readonly url: string
  readonly log: RecordingLog
  readonly metrics: RecordingMetrics
  readonly setPlan: (plan: RoutePlan) => void
}

/** Closes what a test has opened, newest first. */
export function createCleanup() {
  const closers: (() => unknown)[] = []
  return {
    add: (close: () => unknown) => void closers.push(close),
    async run() {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}

export async function listen(server: Server, port = 0): Promise<Address> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  return { ip: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

export async function startInstance(answer: RequestListener): Promise<Instance> {
  let hits = 0
  const server = createServer((request, response) => {
    hits++
    answer(request, response)
  })
  return { server, address: await listen(server), hits: () => hits }
}

/** An address at which nobody listens. */
export async function deadAddress(): Promise<Address> {
  const server = createServer()
  const address = await listen(server)
  await new Promise(resolve => {
    server.close(resolve)
  })
  return address
}

export function aMember(node: string, address: Address, over: Partial<PoolMember> = {}): PoolMember {
  return {
    instance: { ...anInstanceView({ containerId: `c-${node}` }), node: nodeName(node) },
    node: nodeName(node),
    local: node === 'here',
    via: 'instance',
    scheme: 'http',
    address,
    traffic: 'yes',
    priority: 50,
    ...over,
  }
}

/** One service under the host `web`. */
export function aPlan(...members: readonly PoolMember[]): RoutePlan {
  const pool: Pool = { name: 'web', service: serviceId('shop:web'), members }
  return { routes: [{ name: 'web', rule: 'Host(`web`)', hosts: ['web'], pool: 'web' }], pools: [pool], complaints: [] }
}

export async function startProxy(plan: RoutePlan, options: Partial<ProxyOptions> = {}, node = 'here'): Promise<Rig> {
  let current = plan
  let notify = (_plan: RoutePlan): void => undefined
  const handle: RoutePlanHandle = {
    current: () => current,
    onChange(listener) {
      notify = listener
      return () => {
        notify = () => undefined
      }
    },
  }
  const log = recordingLog()
  const metrics = recordingMetrics()
  const parts = { plan: handle, clock: nodeClock, log, metrics, node: nodeName(node), isPeerAddress: () => false }
  const proxy = createProxyServer({ ...parts, options })
  const { port } = await listen(proxy.server)
  return {
    ...proxy,
    port,
    url: `http://127.0.0.1:${port}`,
    log,
    metrics,
    setPlan(next) {
      current = next
      notify(next)
    },
  }
}

/** Looks until `condition` holds; fails after `withinMs`. */
export async function until(condition: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not true within ${withinMs} ms: ${condition.toString()}`)
    await new Promise(resolve => {
      setTimeout(resolve, 10)
    })
  }
}
