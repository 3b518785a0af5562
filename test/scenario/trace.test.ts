/**
 * A container turns unhealthy on A; what the journals of A and B say about the way to B. Real clusters over a simulated
 * network, real controllers, virtual time: one clock, so hops of both compare as they are.
 */
import { afterEach, expect, test } from 'vitest'
import { createMemoryEngine } from '../../src/adapters/memory/container-engine.ts'
import { memoryStateFiles } from '../../src/adapters/memory/state-files.ts'
import type { ClusterHandle } from '../../src/controllers/cluster-handle.ts'
import { createCluster } from '../../src/controllers/cluster.ts'
import { createHealthController } from '../../src/controllers/health.ts'
import { createJournal } from '../../src/controllers/journal.ts'
import type { Hop, HopName } from '../../src/controllers/journal.ts'
import { createReachabilityController } from '../../src/controllers/reachability.ts'
import { createRoutingController, debounceMs } from '../../src/controllers/routing.ts'
import { createViewController } from '../../src/controllers/view.ts'
import type { ContainerFact } from '../../src/core/health/index.ts'
import { createPrng } from '../../src/kernel/prng.ts'
import { nodeName } from '../../src/kernel/units.ts'
import { aContainer, aProfile } from '../../src/testing/builders.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { recordingMetrics } from '../../src/testing/recording-metrics.ts'
import { createSimNetwork } from '../../src/testing/sim/network.ts'
import { simSockets } from '../../src/testing/sim/sockets.ts'
import { createSimTime } from '../../src/testing/sim/time.ts'
import { settle } from '../../src/testing/virtual-clock.ts'

const running: ClusterHandle[] = []
const web = aContainer({ id: 'web-a' })
const api = aContainer({ id: 'api-b', labels: { ...aContainer().labels, 'com.docker.compose.service': 'api' } })

afterEach(() => Promise.all(running.splice(0).map(cluster => cluster.stop())))

function world() {
  const time = createSimTime()
  const network = createSimNetwork(time, createPrng(7), { latencyMs: [1, 10], loss: 0 })

  async function start(name: string, last: number, containers: readonly ContainerFact[]) {
    const [node, address] = [nodeName(name), { ip: `10.0.0.${last}`, port: 7946 }]
    const journal = createJournal(time)
    const common = { node, clock: time, log: recordingLog(), metrics: recordingMetrics(), journal }
    const cluster = createCluster(
      { name: node, bind: address, advertise: address, seeds: ['10.0.0.1'], profile: aProfile() },
      {
        ...common,
        ...simSockets(network),
        stateFiles: memoryStateFiles(),
        seed: last,
        resolveSeed: ip => Promise.resolve([{ ip, port: 7946 }]),
      },
    )
    running.push(cluster)
    const engine = createMemoryEngine({ containers })
    const health = createHealthController({ ...common, cluster, engine, expose: 'labelled' })
    const reachability = createReachabilityController({ ...common, cluster, probe: () => Promise.resolve('answers') })
    const view = createViewController({ ...common, cluster, health, reachability })
    const options = { domain: 'test.local', traefik: { version: '3.0', entryPoints: ['web'] } }
    const routing = createRoutingController({ ...common, view, options })
    await cluster.start()
    for (const part of [routing, view, reachability, health]) part.start()
    return { engine, journal }
  }

  /** In slices, for what waits for promises. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      time.run(10)
      await settle()
    }
  }
  return { time, start, pass }
}

test('what one node decides the other routes by within a second, and both journals say when', async () => {
  const { time, start, pass } = world()
  const a = await start('a', 1, [web])
  const b = await start('b', 2, [api])
  await pass(15_000)
  const beganAt = time.now()
  a.engine.change(web.id, { health: 'unhealthy', failingStreak: 3 })
  await pass(1_500)

  const found = a.journal.find('web@a')
  const key = found.kind === 'found' ? found.walk.key : ''
  expect(key).toMatch(/^shop:web@a#\d+$/)
  const hopsOf = ({ journal }: typeof a): readonly Hop[] => {
    const walk = journal.find(key)
    return walk.kind === 'found' ? walk.walk.hops : []
  }
  const authors = hopsOf(a).map(({ hop }) => hop)
  expect(authors.slice(0, 3)).toEqual(['observed', 'decided', 'published'])
  expect(authors).toContain('sent')
  expect(
    hopsOf(b)
      .map(({ hop }) => hop)
      .filter(hop => hop !== 'relayed'),
  ).toEqual(['received', 'viewed', 'planned', 'documented'])

  const at = (hops: readonly Hop[], name: HopName): number => hops.find(({ hop }) => hop === name)?.atMs ?? Number.NaN
  expect(at(hopsOf(a), 'observed')).toBe(beganAt)
  const travelledMs = at(hopsOf(b), 'received') - at(hopsOf(a), 'sent')
  expect(travelledMs).toBeGreaterThanOrEqual(1)
  expect(travelledMs).toBeLessThanOrEqual(10)
  expect(at(hopsOf(b), 'documented') - at(hopsOf(b), 'planned')).toBe(debounceMs)
  expect(at(hopsOf(b), 'documented') - beganAt).toBeLessThan(1_000)
  expect(hopsOf(b)[0]?.detail).toBe('unhealthy by gossip from 10.0.0.1:7946')
})
