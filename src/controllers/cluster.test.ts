/** Whole clusters on virtual time and a simulated network: loss, cuts, twins, and what the log tells. */
import { afterEach, expect, test } from 'vitest'
import { memoryStateFiles } from '../adapters/memory/state-files.ts'
import { instanceKey } from '../core/registry/index.ts'
import type { Instance } from '../core/registry/index.ts'
import { createPrng } from '../kernel/prng.ts'
import { nodeName } from '../kernel/units.ts'
import type { Address } from '../kernel/units.ts'
import type { StateFiles } from '../ports/state-files.ts'
import { aProfile, anInstance } from '../testing/builders.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { recordingMetrics } from '../testing/recording-metrics.ts'
import { createSimNetwork } from '../testing/sim/network.ts'
import type { NetworkFaults, SimNetwork } from '../testing/sim/network.ts'
import { simSockets } from '../testing/sim/sockets.ts'
import { createSimTime } from '../testing/sim/time.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import { createCluster } from './cluster.ts'

const running: ClusterHandle[] = []

afterEach(() => Promise.all(running.splice(0).map(cluster => cluster.stop())))

interface Lab {
  readonly time: ReturnType<typeof createSimTime>
  readonly network: SimNetwork
  start(name: string, last: number, seeds?: readonly string[], stateFiles?: StateFiles): Promise<LabNode>
}

interface LabNode {
  readonly handle: ClusterHandle
  readonly log: ReturnType<typeof recordingLog>
  readonly metrics: ReturnType<typeof recordingMetrics>
  publish(containerId: string, over?: Partial<Instance>): void
  /** `container state`, of live instances. */
  knows(owner: string): readonly string[]
  statusOf(name: string): string | undefined
}

function lab(seed: number, faults: NetworkFaults = { latencyMs: [1, 10], loss: 0 }): Lab {
  const time = createSimTime()
  const network = createSimNetwork(time, createPrng(seed), faults)
  return {
    time,
    network,
    async start(name, last, seeds = ['10.0.0.1'], stateFiles = memoryStateFiles()) {
      const address: Address = { ip: `10.0.0.${last}`, port: 7946 }
      const log = recordingLog()
      const metrics = recordingMetrics()
      const handle = createCluster(
        { name: nodeName(name), bind: address, advertise: address, seeds, profile: aProfile() },
        {
          clock: time,
          ...simSockets(network),
          stateFiles,
          log,
          metrics,
          seed: seed * 100 + last,
          resolveSeed: ip => Promise.resolve([{ ip, port: 7946 }]),
        },
      )
      running.push(handle)
      await handle.start()
      await settle()
      return {
        handle,
        log,
        metrics,
        publish(containerId, over = {}) {
          const instance = anInstance({ containerId, ...over })
          void handle.publish([{ key: instanceKey(containerId), body: { kind: 'instance', instance } }])
        },
        knows: owner =>
          [...(handle.snapshot().sections.get(nodeName(owner))?.records.values() ?? [])]
            .flatMap(({ body }) =>
              body.kind === 'instance' ? [`${body.instance.containerId} ${body.instance.state}`] : [],
            )
            .sort(),
        statusOf: other => handle.snapshot().members.find(member => member.name === other)?.status,
      }
    },
  }
}

const names = ['a', 'b', 'c', 'd', 'e']

async function five(here: Lab): Promise<readonly LabNode[]> {
  const nodes: LabNode[] = []
  for (const [i, name] of names.entries()) nodes.push(await here.start(name, i + 1))
  const allAlive = (): boolean => nodes.every(node => names.every(name => node.statusOf(name) === 'alive'))
  expect(here.time.runUntil(allAlive, 10_000)).toBe(true)
  return nodes
}

const agree = (nodes: readonly LabNode[], owner: string, wanted: readonly string[]): boolean =>
  nodes.every(node => node.knows(owner).join() === wanted.join())

test.each([1, 2, 3])(
  'with a fifth of all packets lost a change is everywhere within two seconds (seed %i)',
  async seed => {
    const here = lab(seed, { latencyMs: [1, 60], loss: 0.2 })
    const nodes = await five(here)
    for (const state of ['starting', 'healthy', 'unhealthy'] as const) {
      nodes[2]?.publish('web', { state })
      expect(here.time.runUntil(() => agree(nodes, 'c', [`web ${state}`]), 2_000)).toBe(true)
    }
  },
)

test.each([4, 5, 6])(
  'both sides of a cut go on, and know each other’s news one push/pull after they meet (seed %i)',
  async seed => {
    const here = lab(seed)
    const nodes = await five(here)
    const [a, , , d] = nodes
    for (const left of [1, 2, 3])
      for (const right of [4, 5]) {
        here.network.cut(`10.0.0.${left}`, `10.0.0.${right}`)
        here.network.cut(`10.0.0.${right}`, `10.0.0.${left}`)
      }
    expect(here.time.runUntil(() => a?.statusOf('d') === 'dead' && d?.statusOf('a') === 'dead', 60_000)).toBe(true)
    a?.publish('web')
    d?.publish('db')
    here.time.run(2_000)
    expect(nodes.map(node => [node.knows('a').length, node.knows('d').length])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 1],
    ])
    here.network.heal()
    const someMet = (): boolean => nodes.some(node => node.knows('a').length + node.knows('d').length === 2)
    expect(here.time.runUntil(someMet, 60_000)).toBe(true)
    const allKnow = (): boolean => agree(nodes, 'a', ['web healthy']) && agree(nodes, 'd', ['db healthy'])
    expect(here.time.runUntil(allKnow, 31_000)).toBe(true)
  },
)

test('what a newcomer brings is everywhere two seconds later, large or small, in nine of ten cases', async () => {
  const isEverywhere = async (seed: number): Promise<boolean> => {
    const here = lab(seed, { latencyMs: [1, 40], loss: 0.05 })
    const nodes = await five(here)
    const f = await here.start('f', 6)
    f.publish('small')
    f.publish('large', { reason: 'x'.repeat(2_000) })
    return here.time.runUntil(() => agree([...nodes, f], 'f', ['large healthy', 'small healthy']), 2_000)
  }
  // Where gossip missed somebody the next push/pull tells it.
  let missed = 0
  for (let seed = 1; seed <= 20; seed++) if (!(await isEverywhere(seed))) missed++
  expect(missed).toBeLessThanOrEqual(2)
})

test('listeners hear of all changes of one turn at once', async () => {
  const here = lab(7)
  const a = await here.start('a', 1)
  here.time.run(1_000)
  const heard: number[] = []
  const unsubscribe = a.handle.onChange(({ sections }) => heard.push(sections.get(nodeName('a'))?.records.size ?? 0))
  for (const id of ['x', 'y', 'z']) a.publish(id)
  a.publish('z')
  expect(heard).toEqual([])
  here.time.run(0)
  expect(heard).toEqual([3])
  unsubscribe()
  a.publish('w')
  here.time.run(100)
  expect(heard).toEqual([3])
})

test('two nodes of one name are warned about, once a minute, and the second one is told', async () => {
  const here = lab(8)
  const a = await here.start('a', 1)
  const first = await here.start('b', 2)
  here.time.run(2_000)
  const second = await here.start('b', 3)
  first.publish('web')
  second.publish('db')
  for (let round = 0; round < 36; round++) {
    here.time.run(5_000)
    // Seeds are resolved between the rounds.
    await settle()
    expect(a.knows('b')).toEqual(['web healthy'])
  }
  const warnings = a.log.lines.filter(({ message }) => message.startsWith('two nodes use one name'))
  expect(warnings.length).toBeGreaterThanOrEqual(2)
  expect(warnings.length).toBeLessThanOrEqual(4)
  expect(warnings[0]).toMatchObject({ level: 'warn', fields: { member: 'b' } })
  expect(second.log.lines).toContainEqual({
    level: 'warn',
    message: 'cannot join at a seed, trying again',
    fields: expect.objectContaining({ error: expect.stringContaining('the name b belongs to 10.0.0.2:7946') }),
  })
})

test('an announced restart is told once, a leave is told and forgotten', async () => {
  const here = lab(9)
  const [a, b] = [await here.start('a', 1), await here.start('b', 2)]
  here.time.run(2_000)
  const facts = {
    agentVersion: '1',
    arch: 'x64',
    os: 'linux',
    cpuCount: 1,
    memoryTotalBytes: 1,
    memoryFreeBytes: 1,
    diskTotalBytes: 1,
    diskFreeBytes: 1,
    engine: { kind: 'docker', version: '1', connected: true },
  }
  for (const memoryFreeBytes of [1, 2, 3]) {
    const body = { kind: 'nodeFacts' as const, facts: { ...facts, memoryFreeBytes, restartingForMs: 60_000 } }
    void b.handle.publish([{ key: 'node', body }])
    here.time.run(1_000)
  }
  expect(a.log.lines.filter(({ message }) => message === 'member restarting')).toMatchObject([
    { fields: { member: 'b', backWithinMs: 60_000 } },
  ])
  const left = b.handle.leave(5_000)
  expect(here.time.runUntil(() => a.statusOf('b') === 'left', 3_000)).toBe(true)
  here.time.run(5_000)
  await left
  expect(a.log.lines.at(-1)).toMatchObject({ message: 'member left', fields: { member: 'b' } })
  expect([...a.handle.snapshot().sections.keys()]).toEqual(['a'])
})

test('a changed profile reaches the others', async () => {
  const here = lab(10)
  const [a, b] = [await here.start('a', 1), await here.start('b', 2)]
  here.time.run(2_000)
  const metaAtA = (): number | undefined => a.handle.snapshot().members.find(({ name }) => name === 'b')?.meta.length
  const before = metaAtA() ?? 0
  b.handle.setProfile(aProfile({ cordoned: true, publicIp: '203.0.113.7' }))
  expect(here.time.runUntil(() => (metaAtA() ?? 0) > before, 2_000)).toBe(true)
})

test('a node without seeds finds its peers of the last run', async () => {
  const here = lab(11)
  const files = memoryStateFiles()
  const [a, b] = [await here.start('a', 1), await here.start('b', 2, ['10.0.0.1'], files)]
  here.time.run(2_000)
  await b.handle.stop()
  const again = await here.start('b', 2, [], files)
  again.publish('web')
  const isBack = (): boolean => a.knows('b').length === 1 && again.handle.snapshot().synced
  expect(here.time.runUntil(isBack, 3_000)).toBe(true)
})

test('peers are expected where a seed is configured or a peer is remembered, and nowhere else', async () => {
  const here = lab(12)
  const files = memoryStateFiles()
  const first = await here.start('a', 1, ['10.0.0.1', '10.0.0.1:7946'], files)
  expect(first.handle.snapshot()).toMatchObject({ expectsPeers: false, synced: false })
  const second = await here.start('b', 2)
  expect(second.handle.snapshot().expectsPeers).toBe(true)
  here.time.run(2_000)
  await first.handle.stop()
  expect((await here.start('a', 1, [], files)).handle.snapshot().expectsPeers).toBe(true)
})

test('a cluster that gets no sockets says why and leaves no timer', async () => {
  const clock = new VirtualClock()
  const taken = new Error('the port is taken')
  const address: Address = { ip: '10.0.0.1', port: 7946 }
  const handle = createCluster(
    { name: nodeName('a'), bind: address, advertise: address, seeds: ['10.0.0.2'], profile: aProfile() },
    {
      clock,
      openDatagrams: () => Promise.reject(taken),
      openStreams: () => Promise.reject(taken),
      stateFiles: memoryStateFiles(),
      log: recordingLog(),
      metrics: recordingMetrics(),
      seed: 1,
      resolveSeed: () => Promise.resolve([]),
    },
  )
  await expect(handle.start()).rejects.toBe(taken)
  expect(clock.pendingTimers).toBe(0)
})

test('after stop nothing is sent, nobody is called and no timer is left', async () => {
  const here = lab(12)
  const [a, b] = [await here.start('a', 1), await here.start('b', 2)]
  here.time.run(2_000)
  let calls = 0
  b.handle.onChange(() => calls++)
  await b.handle.stop()
  await b.handle.stop()
  const sent = b.metrics.value('constellation_gossip_packets_total', { direction: 'sent' })
  b.publish('web')
  here.time.run(20_000)
  expect(calls).toBe(0)
  expect(b.metrics.value('constellation_gossip_packets_total', { direction: 'sent' })).toBe(sent)
  expect(a.statusOf('b')).toBe('dead')
})
