/** A real facade over two nodes with three services; a test replaces the answers it is about. */
import { createFacade, type Facade } from '../controllers/facade.ts'
import { createGossipQuestions } from '../controllers/gossip-answers.ts'
import type { ClusterHandle } from '../controllers/cluster-handle.ts'
import type { Observable } from '../controllers/handles.ts'
import { createJournal, type Journal } from '../controllers/journal.ts'
import { noStats } from '../core/membership/index.ts'
import type { Member } from '../core/membership/index.ts'
import { encodeProfile } from '../core/registry/index.ts'
import { applyKeyOperation } from '../core/cluster/index.ts'
import type { Keyring } from '../core/membership/index.ts'
import type { ClusterView } from '../core/registry/index.ts'
import { planRoutes } from '../core/routing/index.ts'
import { toHex } from '../kernel/bytes.ts'
import { nodeName, serviceId } from '../kernel/units.ts'
import { aMember, aNodeView, aProfile, aView, anInstanceView } from './builders.ts'
import type { Clock } from '../ports/clock.ts'
import { VirtualClock } from './virtual-clock.ts'

export function aFacade(over: Partial<Facade> = {}, view: ClusterView = aBusyView()): Facade {
  const clock = new VirtualClock(60_000)
  const snapshot = { members: someMembers, sections: new Map(), synced: true, expectsPeers: true }
  const cluster = { stats: () => quietGossip, snapshot: () => snapshot, keys: twoKeyrings().keys }
  const traits = { profile: 'tailnet', labelled: true, encrypted: false }
  const facade = createFacade({
    view: fixed(view),
    plan: fixed(planRoutes(view, { domain: 'example.org' })),
    document: fixed({ json: '{}', etag: '"abc"', generation: 3 }),
    cluster,
    gossip: createGossipQuestions({ node: view.self, cluster, journal: aJournal(clock), traits, clock }),
    engine: () => ({ kind: 'docker', connected: true, version: '20.10.24' }),
    clock,
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

/** Ourselves, one that died, and one that is no agent of ours. */
const someMembers: readonly Member[] = [
  aMember({ name: 'node-a', meta: encodeProfile(aProfile()), statusSince: 0 }),
  aMember({ name: 'node-b', meta: encodeProfile(aProfile()), status: 'dead', statusSince: 50_000, incarnation: 3 }),
  aMember({ name: 'serf-1', meta: Uint8Array.of(255, 1, 2), statusSince: 30_000 }),
]

/** One walk, as a node sees it that is not its author. */
export function aJournal(clock: Clock): Journal {
  const journal = createJournal(clock)
  const key = 'shop:web@node-b#8'
  journal.mark(key, 'received', 55_000, 'unhealthy by gossip from 100.64.0.2:7946')
  journal.mark(key, 'viewed', 55_000.25, 'traffic no: unhealthy: exit 1')
  journal.mark(key, 'planned', 55_000.5, 'routes lost it: unhealthy: exit 1')
  journal.mark(key, 'documented', 55_200.75, 'generation 3, etag "abc"')
  journal.mark(key, 'served', 55_900, 'polled by 127.0.0.1')
  return journal
}

const quietGossip = {
  ...noStats,
  suspicions: 1,
  probes: 90,
  packetsSent: 90,
  packetsReceived: 91,
  bytesSent: 9_000,
  bytesReceived: 9_100,
}

/** Keyrings of node-a and node-b that do what they are told, at once. A change is seen by later questions. */
function twoKeyrings(): Pick<ClusterHandle, 'keys'> {
  const fingerprint = (key: Uint8Array): string => toHex(key.subarray(0, 6))
  let keyring: Keyring = [new Uint8Array(32).fill(0x11), new Uint8Array(32).fill(0x22)]
  return {
    keys(operation) {
      const changed = applyKeyOperation(keyring, operation, fingerprint)
      if (changed.ok) keyring = changed.value
      const reply = { fingerprints: keyring.map(fingerprint), ...(changed.ok ? {} : { problem: changed.error }) }
      return Promise.resolve({ nodes: ['node-a', 'node-b'].map(node => ({ kind: 'answered', node, reply })) })
    },
  }
}

function fixed<T>(value: T): Observable<T> {
  return { current: () => value, onChange: () => () => undefined }
}
