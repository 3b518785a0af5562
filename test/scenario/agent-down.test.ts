/**
 * The agent of a node dies and its containers run on. Three agents with their real controllers on virtual time; gossip
 * is a stand-in that says who is alive, the network is a table of hosts and open ports. Agent B is the one that suffers;
 * agent A is where we look.
 */
import { beforeEach, expect, test } from 'vitest'
import { createMemoryEngine } from '../../src/adapters/memory/container-engine.ts'
import { createHealthController } from '../../src/controllers/health.ts'
import { createNodeFactsController } from '../../src/controllers/node-facts.ts'
import { createReachabilityController } from '../../src/controllers/reachability.ts'
import { createViewController } from '../../src/controllers/view.ts'
import type { ContainerFact } from '../../src/core/health/index.ts'
import type { InstanceView, NodeView } from '../../src/core/registry/index.ts'
import { nodeName } from '../../src/kernel/units.ts'
import type { NodeName } from '../../src/kernel/units.ts'
import type { TcpProbe } from '../../src/ports/tcp-probe.ts'
import { aContainer } from '../../src/testing/builders.ts'
import { fakeCluster } from '../../src/testing/fake-cluster.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { recordingMetrics } from '../../src/testing/recording-metrics.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'

const [a, b] = [nodeName('a'), nodeName('b')]
const gossipPort = 7946

interface Host {
  up: boolean
  readonly open: Set<number>
}

function world() {
  const clock = new VirtualClock()
  const cluster = fakeCluster(clock)
  const hosts = new Map<string, Host>()

  const probe: TcpProbe = ({ ip, port }, timeoutMs) => {
    const host = hosts.get(ip)
    if (host?.up === true) return Promise.resolve(host.open.has(port) ? 'answers' : 'refused')
    return new Promise(resolve => clock.at(clock.now() + timeoutMs, () => resolve('silent')))
  }

  /** An agent with its engine on a host of its own. Ports its containers publish are open. */
  async function startAgent(name: NodeName, ip: string, containers: readonly ContainerFact[]) {
    const host: Host = { up: true, open: new Set([gossipPort]) }
    for (const { endpoints } of containers)
      for (const { hostPort } of endpoints) if (hostPort !== undefined) host.open.add(hostPort)
    hosts.set(ip, host)
    const log = recordingLog()
    const handle = cluster.join(name, { address: { ip, port: gossipPort } })
    const common = { node: name, cluster: handle, clock, log, metrics: recordingMetrics() }
    const engine = createMemoryEngine({ containers })
    const health = createHealthController({ ...common, engine, expose: 'labelled' })
    const reachability = createReachabilityController({ ...common, probe })
    const view = createViewController({ ...common, health, reachability })
    const readHostStats = () =>
      Promise.resolve({
        arch: 'x64',
        os: 'linux',
        cpuCount: 2,
        memoryTotalBytes: 1,
        memoryFreeBytes: 1,
        diskTotalBytes: 1,
        diskFreeBytes: 1,
      })
    const facts = createNodeFactsController({ ...common, health, readHostStats, agentVersion: '0.1.0' })
    await facts.start()
    health.start()
    reachability.start()
    view.start()
    return { name, host, engine, health, facts, view, log, handle }
  }
  return { clock, cluster, startAgent }
}

const web = (node: NodeName): ContainerFact => aContainer({ id: `web-${node}`, name: `shop-web-${node}` })
const hidden = (node: NodeName): ContainerFact =>
  aContainer({
    id: `api-${node}`,
    name: `shop-api-${node}`,
    labels: { ...aContainer().labels, 'com.docker.compose.service': 'api' },
    endpoints: [{ protocol: 'tcp', containerPort: 3000 }],
  })

type World = ReturnType<typeof world>
type Agent = Awaited<ReturnType<World['startAgent']>>
let it: World & { agentA: Agent; agentB: Agent }

beforeEach(async () => {
  const made = world()
  const agentA = await made.startAgent(a, '100.64.0.1', [web(a), hidden(a)])
  const agentB = await made.startAgent(b, '100.64.0.2', [web(b), hidden(b)])
  it = { ...made, agentA, agentB }
  await pass(100)
  expect(traffic('web-b')).toBe('yes')
  expect(traffic('api-b')).toBe('yes')
})

function pass(ms: number): Promise<void> {
  return it.clock.advanceAsync(ms, 50)
}

/** What agent A sees. */
function nodeB(): NodeView | undefined {
  return it.agentA.view.current().nodes.find(node => node.name === b)
}

function seen(containerId: string): InstanceView | undefined {
  return nodeB()?.instances.find(instance => instance.containerId === containerId)
}

function traffic(containerId: string): InstanceView['traffic'] | undefined {
  return seen(containerId)?.traffic
}

/** The agent's process ends; its host and its containers do not notice. */
async function killAgentB(): Promise<void> {
  it.agentB.host.open.delete(gossipPort)
  it.cluster.setStatus(b, 'suspect')
  await pass(100)
}

test('the agent is killed: what its host still serves keeps its route, before and after gossip calls it dead', async () => {
  await killAgentB()
  expect(nodeB()?.agent).toBe('agentDown')
  expect(seen('web-b')).toMatchObject({
    traffic: 'yes',
    trafficReason: 'its agent is down, but the instance answers our own probe',
  })
  await pass(5_000)
  it.cluster.setStatus(b, 'dead')
  for (let minute = 0; minute < 10; minute++) {
    await pass(60_000)
    expect(traffic('web-b')).toBe('yes')
  }
})

test('what only the dead agent could forward to loses its route', async () => {
  await killAgentB()
  expect(seen('api-b')).toMatchObject({
    traffic: 'no',
    trafficReason: 'its agent is down and its proxy with it; no port of the instance is published for other nodes',
  })
})

test('an instance that dies while its agent is down loses its route within seconds, and gets it back when it answers', async () => {
  await killAgentB()
  it.agentB.host.open.delete(18_080)
  await pass(2_100)
  expect(seen('web-b')).toMatchObject({
    traffic: 'no',
    trafficReason: 'its agent is down and the instance does not answer our own probe (refused)',
  })
  it.agentB.host.open.add(18_080)
  await pass(2_100)
  expect(traffic('web-b')).toBe('yes')
})

test('the host loses power: last resort while suspected, nothing once dead', async () => {
  it.agentB.host.up = false
  it.cluster.setStatus(b, 'suspect')
  await pass(2_000)
  expect(nodeB()?.agent).toBe('unknown')
  expect(traffic('web-b')).toBe('lastResort')
  it.cluster.setStatus(b, 'dead')
  await pass(100)
  expect(seen('web-b')).toMatchObject({ traffic: 'no', trafficReason: 'its node is dead' })
})

test('the host loses power after its agent had died: noticed within seconds', async () => {
  await killAgentB()
  it.cluster.setStatus(b, 'dead')
  await pass(10_000)
  expect(traffic('web-b')).toBe('yes')
  it.agentB.host.up = false
  await pass(4_100)
  expect(seen('web-b')).toMatchObject({ traffic: 'no', trafficReason: 'its node is dead' })
})

test('an announced restart keeps the route and its name, and the return is plain health again', async () => {
  it.agentB.facts.announceRestart(60_000)
  await pass(100)
  expect(nodeB()?.agent).toBe('up')
  await killAgentB()
  expect(nodeB()?.agent).toBe('restarting')
  expect(seen('web-b')?.trafficReason).toBe('its agent is restarting, but the instance answers our own probe')
  it.agentB.host.open.add(gossipPort)
  it.cluster.setStatus(b, 'alive')
  await pass(100)
  expect(nodeB()?.agent).toBe('up')
  expect(seen('web-b')).toMatchObject({ traffic: 'yes', trafficReason: 'healthy' })
  expect(seen('api-b')?.traffic).toBe('yes')
})

test('a restart that never ends is called by its name', async () => {
  it.agentB.facts.announceRestart(60_000)
  await pass(100)
  await killAgentB()
  await pass(61_000)
  expect(nodeB()?.agent).toBe('agentDown')
  expect(traffic('web-b')).toBe('yes')
})

test('our own instances keep their routes whatever the others say about us', async () => {
  await killAgentB()
  it.cluster.setStatus(b, 'dead')
  await pass(100)
  const own = it.agentB.view.current().nodes.find(node => node.name === b)
  expect(own).toMatchObject({ status: 'alive', agent: 'up' })
  expect(own?.instances.map(instance => instance.traffic)).toEqual(['yes', 'yes'])
})

test('a container turns unhealthy on B: A drops it, and both logs carry the same key', async () => {
  it.agentB.engine.change('web-b', { health: 'unhealthy', failingStreak: 3 })
  await pass(50)
  expect(seen('web-b')).toMatchObject({ traffic: 'no', trafficReason: 'unhealthy: its check fails' })
  const key = `shop:web@b#${seen('web-b')?.revision}`
  for (const agent of [it.agentA, it.agentB])
    expect(agent.log.lines.filter(line => line.fields.key === key).length).toBeGreaterThan(0)
})

test('the user recreates a flapping container by compose: the new one is used at once', async () => {
  for (let i = 0; i < 4; i++) {
    it.agentB.engine.change('web-b', { health: 'unhealthy', failingStreak: 3 })
    await pass(5_000)
    it.agentB.engine.change('web-b', { health: 'healthy', failingStreak: 0 })
    await pass(i < 3 ? 15_000 : 50)
  }
  expect(seen('web-b')?.trafficReason).toBe('unhealthy: recovered, held back for 8 s after 4 flaps')
  it.agentB.engine.remove('web-b')
  it.agentB.engine.put({ ...web(b), id: 'web-b-new' })
  await pass(50)
  expect(traffic('web-b')).toBeUndefined()
  expect(traffic('web-b-new')).toBe('yes')
})

test('the engine of B hangs or restarts: nothing that was known is taken away', async () => {
  it.agentB.engine.disconnect('no answer')
  await pass(120_000)
  expect(nodeB()?.facts?.engine.connected).toBe(false)
  expect(traffic('web-b')).toBe('yes')
  it.agentB.engine.connect()
  await pass(100)
  expect(nodeB()?.facts?.engine.connected).toBe(true)
})
