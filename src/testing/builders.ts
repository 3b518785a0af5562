/** Valid records with sensible values; a test names only what it is about. */
import type { ContainerFact } from '../core/health/index.ts'
import type { Member } from '../core/membership/index.ts'
import { encodeProfile, instanceKey, nodeFactsKey } from '../core/registry/index.ts'
import type {
  ClusterView,
  Instance,
  InstanceView,
  NodeFacts,
  NodeProfile,
  NodeView,
  RoutingWish,
  Section,
  SectionRecord,
} from '../core/registry/index.ts'
import { nodeName, serviceId } from '../kernel/units.ts'
import type { NodeName } from '../kernel/units.ts'

export function aProfile(over: Partial<NodeProfile> = {}): NodeProfile {
  return {
    nodeId: '00'.repeat(16),
    apiPort: 8080,
    proxyPort: 8082,
    raftPort: 8300,
    priority: 50,
    role: 'node',
    ...over,
  }
}

export function aRoutingWish(over: Partial<RoutingWish> = {}): RoutingWish {
  return { host: 'web', port: 80, scheme: 'http', routers: [], ...over }
}

export function anInstance(over: Partial<Instance> = {}): Instance {
  return {
    service: serviceId('shop:web'),
    containerId: 'c0ffee000000',
    containerName: 'shop-web-1',
    image: 'web:1',
    state: 'healthy',
    sinceWallMs: 1_700_000_000_000,
    consecutiveFailures: 0,
    endpoints: [{ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 18080 }],
    networks: [{ network: 'shop_default', ip: '172.18.0.2' }],
    routing: aRoutingWish(),
    ...over,
  }
}

export function anInstanceView(over: Partial<InstanceView> = {}): InstanceView {
  return {
    ...anInstance(over),
    node: nodeName('node-a'),
    revision: 1,
    traffic: 'yes',
    trafficReason: 'healthy',
    ...over,
  }
}

export function aNodeView(over: Partial<NodeView> = {}): NodeView {
  return {
    name: nodeName('node-a'),
    address: { ip: '100.64.0.1', port: 7946 },
    status: 'alive',
    agent: 'up',
    incarnation: 1,
    profile: aProfile(),
    instances: [],
    ...over,
  }
}

export function aView(over: Partial<ClusterView> = {}): ClusterView {
  return { revision: 1, self: nodeName('node-a'), complete: true, nodes: [aNodeView()], ...over }
}

export function aContainer(over: Partial<ContainerFact> = {}): ContainerFact {
  return {
    id: 'c0ffee000000',
    name: 'shop-web-1',
    image: 'web:1',
    labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web', 'traefik.enable': 'true' },
    state: 'running',
    health: 'healthy',
    failingStreak: 0,
    startedAtWallMs: 1_700_000_000_000,
    endpoints: [{ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 18080 }],
    networks: [{ network: 'shop_default', ip: '172.18.0.2' }],
    ...over,
  }
}

/** An agent of ours; its metadata is `aProfile()`. */
export function aMember(over: Partial<Member> = {}): Member {
  return {
    name: 'node-a',
    address: { ip: '100.64.0.1', port: 7946 },
    meta: encodeProfile(aProfile()),
    incarnation: 1,
    status: 'alive',
    statusSince: 0,
    versions: new Uint8Array([1, 5, 2, 2, 5, 4]),
    ...over,
  }
}

export function aNodeFacts(over: Partial<NodeFacts> = {}): NodeFacts {
  return {
    agentVersion: '0.1.0',
    arch: 'x64',
    os: 'linux',
    cpuCount: 4,
    memoryTotalBytes: 8_000_000_000,
    memoryFreeBytes: 4_000_000_000,
    diskTotalBytes: 100_000_000_000,
    diskFreeBytes: 50_000_000_000,
    engine: { kind: 'docker', version: '28.0', connected: true },
    ...over,
  }
}

/** All in epoch 1; the instances have revisions 1, 2, 3 ... in the order given, the facts the next. */
export function aSection(
  owner: NodeName,
  instances: readonly Instance[],
  over: { readonly facts?: NodeFacts; readonly complete?: boolean } = {},
): Section {
  const bodies = [
    ...instances.map(instance => [instanceKey(instance.containerId), { kind: 'instance', instance }] as const),
    ...(over.facts === undefined ? [] : [[nodeFactsKey, { kind: 'nodeFacts', facts: over.facts }] as const]),
  ]
  const records = bodies.map(([key, body], i): SectionRecord => ({ key, version: { epoch: 1, revision: i + 1 }, body }))
  return {
    owner,
    version: { epoch: 1, revision: records.length },
    complete: over.complete ?? true,
    records: new Map(records.map(record => [record.key, record])),
  }
}
