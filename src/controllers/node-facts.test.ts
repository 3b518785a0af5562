import { expect, test } from 'vitest'
import type { NodeFacts } from '../core/registry/index.ts'
import { nodeName } from '../kernel/units.ts'
import type { HostStats } from '../ports/host-stats.ts'
import { fakeCluster } from '../testing/fake-cluster.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import type { EngineState } from './health.ts'
import { createNodeFactsController, withoutNoise } from './node-facts.ts'

const node = nodeName('a')
const stats: HostStats = {
  arch: 'x64',
  os: 'linux',
  cpuCount: 4,
  memoryTotalBytes: 1_000,
  memoryFreeBytes: 500,
  diskTotalBytes: 10_000,
  diskFreeBytes: 5_000,
}

function lab() {
  const clock = new VirtualClock()
  const cluster = fakeCluster(clock)
  const handle = cluster.join(node)
  const log = recordingLog()
  const world = { read: (): Promise<HostStats> => Promise.resolve(stats), tell: (): void => undefined }
  let engine: EngineState = { kind: 'docker', version: '28.0', connected: true, listed: true }
  const controller = createNodeFactsController({
    cluster: handle,
    health: {
      engineState: () => engine,
      onEngineChange(listener) {
        world.tell = () => listener(engine)
        return () => (world.tell = () => undefined)
      },
    },
    readHostStats: () => world.read(),
    agentVersion: '0.1.0',
    clock,
    log,
  })
  const facts = (): NodeFacts | undefined => {
    const body = handle.snapshot().sections.get(node)?.records.get('node')?.body
    return body?.kind === 'nodeFacts' ? body.facts : undefined
  }
  const setEngine = (over: Partial<EngineState>): void => {
    engine = { ...engine, ...over }
    world.tell()
  }
  return { clock, cluster, controller, facts, world, setEngine, log }
}

test('the facts are there when start has finished', async () => {
  const { controller, facts } = lab()
  await controller.start()
  expect(facts()).toEqual({
    agentVersion: '0.1.0',
    ...stats,
    engine: { kind: 'docker', version: '28.0', connected: true },
  })
})

test('noise is not told, a move of a hundredth is, every 30 s at most', async () => {
  const { controller, facts, world, clock, cluster } = lab()
  await controller.start()
  let free = 500
  world.read = () => Promise.resolve({ ...stats, memoryFreeBytes: free })
  for (free of [505, 495, 509, 491]) await clock.advanceAsync(30_000, 1_000)
  expect(cluster.publications).toBe(1)
  free = 510
  await clock.advanceAsync(29_000, 1_000)
  expect(facts()?.memoryFreeBytes).toBe(500)
  await clock.advanceAsync(1_000, 1_000)
  expect(facts()?.memoryFreeBytes).toBe(510)
})

test('a slow drift is told in the end', () => {
  let told = stats
  for (let used = 1; used <= 100; used++) told = withoutNoise(told, { ...stats, diskFreeBytes: 5_000 - used })
  expect(told.diskFreeBytes).toBe(4_900)
})

test('an engine that comes or goes is told at once', async () => {
  const { controller, facts, setEngine } = lab()
  await controller.start()
  setEngine({ connected: false })
  expect(facts()?.engine.connected).toBe(false)
  setEngine({ connected: true, version: '29.1' })
  expect(facts()?.engine).toEqual({ kind: 'docker', version: '29.1', connected: true })
})

test('a restart is announced at once, with everything else', async () => {
  const { controller, facts } = lab()
  await controller.start()
  controller.announceRestart(30_000)
  expect(facts()).toMatchObject({ restartingForMs: 30_000, cpuCount: 4 })
})

test('figures that cannot be read leave the last known ones, and are tried again', async () => {
  const { controller, facts, world, clock, log } = lab()
  world.read = () => Promise.reject(new Error('no /proc'))
  await controller.start()
  expect(facts()).toBeUndefined()
  expect(log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { error: 'no /proc' } })
  world.read = () => Promise.resolve(stats)
  await clock.advanceAsync(30_000, 1_000)
  expect(facts()?.cpuCount).toBe(4)
})

test('after stop nothing is read or told', async () => {
  const { controller, cluster, clock, world, setEngine } = lab()
  await controller.start()
  controller.stop()
  const { publications } = cluster
  let reads = 0
  world.read = () => Promise.resolve({ ...stats, cpuCount: ++reads })
  setEngine({ connected: false })
  await clock.advanceAsync(120_000, 10_000)
  await settle()
  expect([reads, cluster.publications]).toEqual([0, publications])
})
