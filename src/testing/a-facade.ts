/** A real facade over two nodes with three services; a test replaces the answers it is about. */
import { createFacade, type Facade } from '../controllers/facade.ts'
import type { Observable } from '../controllers/handles.ts'
import type { ClusterView } from '../core/registry/index.ts'
import { planRoutes } from '../core/routing/index.ts'
import { nodeName, serviceId } from '../kernel/units.ts'
import { aNodeView, aView, anInstanceView } from './builders.ts'
import { VirtualClock } from './virtual-clock.ts'

export function aFacade(over: Partial<Facade> = {}, view: ClusterView = aBusyView()): Facade {
  const facade = createFacade({
    view: fixed(view),
    plan: fixed(planRoutes(view, { domain: 'example.org' })),
    document: fixed({ json: '{}', etag: '"abc"', generation: 3 }),
    cluster: { stats: () => quietGossip },
    engine: () => ({ kind: 'docker', connected: true, version: '20.10.24' }),
    clock: new VirtualClock(),
    domain: 'example.org',
    version: '1.2.3',
  })
  return { ...facade, ...over }
}

/** `shop:web` on two nodes, one of them unhealthy; a `db` in two projects, one of them ended. */
export function aBusyView(): ClusterView {
  const [a, b] = [nodeName('node-a'), nodeName('node-b')]
  const { routing: _unrouted, ...observed } = anInstanceView()
  const facts = {
    agentVersion: '1.2.3',
    arch: 'x64',
    os: 'linux',
    cpuCount: 2,
    memoryTotalBytes: 8e9,
    memoryFreeBytes: 4e9,
    diskTotalBytes: 1e11,
    diskFreeBytes: 5e10,
    engine: { kind: 'docker', version: '20.10.24', connected: true },
  }
  const unhealthy = {
    state: 'unhealthy',
    reason: 'exit 1',
    traffic: 'no',
    trafficReason: 'unhealthy: exit 1',
    consecutiveFailures: 3,
  } as const
  return aView({
    revision: 7,
    nodes: [
      aNodeView({
        name: a,
        facts,
        instances: [
          anInstanceView({ node: a, containerId: 'c1' }),
          { ...observed, node: a, containerId: 'c2', containerName: 'shop-db-1', service: serviceId('shop:db') },
        ],
      }),
      aNodeView({
        name: b,
        address: { ip: '100.64.0.2', port: 7946 },
        instances: [
          anInstanceView({ node: b, containerId: 'c3', ...unhealthy }),
          {
            ...observed,
            node: b,
            containerId: 'c4',
            containerName: 'toy-db-1',
            service: serviceId('toy:db'),
            state: 'stopped',
            reason: 'exited with 0',
            traffic: 'no',
            trafficReason: 'stopped: exited with 0',
          },
        ],
      }),
    ],
  })
}

const quietGossip = {
  healthScore: 0,
  queueDepth: 0,
  suspicions: 1,
  refutations: 0,
  probes: 90,
  probeFailures: 0,
  falsePositives: 0,
  packetsSent: 90,
  packetsReceived: 91,
  bytesSent: 9_000,
  bytesReceived: 9_100,
}

function fixed<T>(value: T): Observable<T> {
  return { current: () => value, onChange: () => () => undefined }
}
