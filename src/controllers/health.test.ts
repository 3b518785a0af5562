import { expect, test } from 'vitest'
import { createMemoryEngine } from '../adapters/memory/container-engine.ts'
import type { MemoryEngineOptions } from '../adapters/memory/container-engine.ts'
import { nodeName } from '../kernel/units.ts'
import { ContainerGone } from '../ports/container-engine.ts'
import { aContainer } from '../testing/builders.ts'
import { fakeCluster } from '../testing/fake-cluster.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { recordingMetrics } from '../testing/recording-metrics.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import { createHealthController } from './health.ts'

const node = nodeName('a')
const id = aContainer().id
const sick = { health: 'unhealthy', failingStreak: 3 } as const
const labels = { ...aContainer().labels, 'deunhealth.restart.on.unhealthy': 'true' }

function lab(engineOptions: MemoryEngineOptions = { containers: [aContainer()] }) {
  const clock = new VirtualClock()
  const engine = createMemoryEngine(engineOptions)
  const cluster = fakeCluster(clock).join(node)
  const log = recordingLog()
  const metrics = recordingMetrics()
  const health = createHealthController({ engine, cluster, clock, log, metrics, node, expose: 'labelled' })
  const section = () => cluster.snapshot().sections.get(node)
  const instance = (containerId = id) => {
    const body = section()?.records.get(`i/${containerId}`)?.body
    return body?.kind === 'instance' ? body.instance : undefined
  }
  return { clock, engine, cluster, log, metrics, health, section, instance }
}

test('what the engine lists is published, and then the section is complete', () => {
  const { health, section, instance, metrics } = lab()
  expect(health.engineListed()).toBe(false)
  health.start()
  expect(instance()).toMatchObject({ service: 'shop:web', state: 'healthy' })
  expect(section()?.complete).toBe(true)
  expect(health.engineListed()).toBe(true)
  expect(metrics.value('constellation_instances', { state: 'healthy' })).toBe(1)
  expect(metrics.value('constellation_engine_connected')).toBe(1)
})

test('an engine that is absent is picked up when it comes', () => {
  const { health, engine, metrics, instance } = lab({ containers: [aContainer()], connected: false })
  const seen: boolean[] = []
  health.onEngineChange(({ connected }) => seen.push(connected))
  health.start()
  expect(health.engineState()).toMatchObject({ connected: false, listed: false })
  expect(metrics.value('constellation_engine_connected')).toBe(0)
  engine.connect()
  expect(health.engineState()).toMatchObject({ connected: true, listed: true, version: 'memory' })
  expect(instance()?.state).toBe('healthy')
  expect(seen).toEqual([false, true, true])
})

test('every hop is logged with the key of the record as it was published', async () => {
  const { health, engine, log, section } = lab()
  health.start()
  engine.change(id, sick)
  await settle()
  const revision = section()?.records.get(`i/${id}`)?.version.revision
  const line = log.lines.find(({ message }) => message === 'shop:web is unhealthy')
  expect(line?.fields).toMatchObject({ key: `shop:web@a#${revision}`, reason: 'its check fails', was: 'healthy' })
  engine.remove(id)
  await settle()
  expect(log.lines.at(-1)).toMatchObject({
    message: 'shop:web is gone',
    fields: { key: `shop:web@a#${(revision ?? 0) + 1}` },
  })
})

test('while a revision is awaited nothing that came later is told', async () => {
  const { health, engine, log, cluster } = lab({ containers: [aContainer({ labels })] })
  const publish = cluster.publish.bind(cluster)
  let answer = (): void => undefined
  const slow = new Promise<void>(resolve => (answer = resolve))
  engine.restart = () => Promise.reject(new ContainerGone('no such container'))
  health.start()
  await settle()
  cluster.publish = changes => slow.then(() => publish(changes))
  engine.change(id, sick)
  await settle()
  expect(log.lines.at(-1)?.message).toBe('shop:web is healthy')
  answer()
  await settle()
  expect(log.lines.map(({ message }) => message)).toEqual([
    'connected to the container engine',
    'shop:web is healthy',
    'shop:web is unhealthy',
    'restarting a container whose check fails',
    'gone before it could be restarted',
  ])
})

test('a lost engine keeps what was published and is counted when it comes back', () => {
  const { health, engine, instance, metrics } = lab()
  health.start()
  engine.disconnect('socket closed')
  expect(instance()?.state).toBe('healthy')
  expect(health.engineState()).toMatchObject({ connected: false, listed: true, reason: 'socket closed' })
  engine.connect()
  expect(health.engineState()).not.toHaveProperty('reason')
  expect(metrics.value('constellation_engine_reconnects_total')).toBe(1)
})

test('a labelled container whose check fails is restarted and counted', async () => {
  const { health, engine, metrics, instance, clock } = lab({ containers: [aContainer({ labels })] })
  health.start()
  engine.change(id, sick)
  await settle()
  expect(engine.restarts).toEqual([id])
  expect(metrics.value('constellation_restarts_total', { outcome: 'done' })).toBe(1)
  clock.advance(1_000)
  expect(instance()?.state).toBe('starting')
})

test('restarts that fail are counted, repeated ever more slowly and given up', async () => {
  const { health, engine, metrics, clock, instance, log } = lab({
    containers: [aContainer({ labels })],
    restarted: container => ({ ...container, ...sick }),
  })
  health.start()
  engine.change(id, sick)
  for (let second = 0; second < 400; second++) {
    await settle()
    clock.advance(1_000)
    engine.list()
  }
  expect(engine.restarts.length).toBe(5)
  expect(metrics.value('constellation_restarts_total', { outcome: 'gaveUp' })).toBe(1)
  expect(instance()?.restartGivenUp).toBe(true)
  expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
    'shop:web is not restarted any more: it fails again and again',
  ])
})

test('an engine that refuses the restart is a failure, a container that is gone is none', async () => {
  const failing = lab({ containers: [aContainer({ labels })] })
  failing.engine.restart = () => Promise.reject(new Error('no answer'))
  failing.health.start()
  failing.engine.change(id, sick)
  await settle()
  expect(failing.metrics.value('constellation_restarts_total', { outcome: 'failed' })).toBe(1)
  expect(failing.log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { reason: 'no answer' } })

  const gone = lab({ containers: [aContainer({ labels })] })
  gone.engine.restart = () => Promise.reject(new ContainerGone('no such container'))
  gone.health.start()
  gone.engine.change(id, sick)
  await settle()
  expect(await gone.metrics.json()).not.toHaveProperty('constellation_restarts_total')
  expect(gone.log.lines.at(-1)).toMatchObject({ level: 'info', message: 'gone before it could be restarted' })
})

test('an engine that breaks its promise to watch is reported, not fatal', async () => {
  const { health, engine, log } = lab()
  engine.watch = () => Promise.reject(new Error('bug'))
  health.start()
  await settle()
  expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { error: 'bug' } })
  await health.stop()
})

test('after stop nothing is heard, done or left running', async () => {
  const { health, engine, clock, instance } = lab({ containers: [aContainer({ labels })] })
  health.start()
  await health.stop()
  engine.change(id, sick)
  await settle()
  expect(instance()?.state).toBe('healthy')
  expect(engine.restarts).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})
