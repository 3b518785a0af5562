import { expect, test } from 'vitest'
import type { Verdicts } from '../core/reachability/index.ts'
import { nodeName } from '../kernel/units.ts'
import { aNodeFacts, aSection, anInstance } from '../testing/builders.ts'
import { fakeCluster } from '../testing/fake-cluster.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { recordingMetrics } from '../testing/recording-metrics.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import { createViewController } from './view.ts'

const [a, b] = [nodeName('a'), nodeName('b')]

function lab() {
  const clock = new VirtualClock()
  const cluster = fakeCluster(clock)
  const handle = cluster.join(a)
  cluster.join(b)
  const log = recordingLog()
  const metrics = recordingMetrics()
  const engine = { listed: true, tell: (): void => undefined }
  const verdicts = { now: new Map() as Verdicts, tell: (): void => undefined }
  const view = createViewController({
    node: a,
    cluster: handle,
    health: {
      engineListed: () => engine.listed,
      onEngineChange(listener) {
        engine.tell = () => listener({ kind: 'docker', version: '1', connected: true, listed: engine.listed })
        return () => undefined
      },
    },
    reachability: {
      current: () => verdicts.now,
      onChange(listener) {
        verdicts.tell = () => listener(verdicts.now)
        return () => undefined
      },
    },
    clock,
    log,
    metrics,
  })
  const turn = async (): Promise<void> => {
    await settle()
    clock.advance(0)
  }
  return { clock, cluster, handle, engine, verdicts, log, metrics, view, turn }
}

test('many changes in one turn are one rebuild', async () => {
  const { view, cluster, turn, metrics, engine, verdicts } = lab()
  view.start()
  await turn()
  let told = 0
  view.onChange(() => told++)
  cluster.receive(aSection(b, [anInstance()]))
  cluster.setStatus(b, 'suspect')
  verdicts.now = new Map([[b, { agent: 'refused', instances: new Map() }]])
  verdicts.tell()
  engine.tell()
  await turn()
  expect(told).toBe(1)
  expect(view.current().nodes[1]).toMatchObject({ agent: 'agentDown', instances: [{ traffic: 'lastResort' }] })
  expect(metrics.value('constellation_view_revision')).toBe(view.current().revision)
})

test('news that change nothing tell nobody', async () => {
  const { view, engine, turn } = lab()
  view.start()
  await turn()
  let told = 0
  view.onChange(() => told++)
  engine.tell()
  await turn()
  expect(told).toBe(0)
})

test('complete as soon as the engine is listed and somebody was met', async () => {
  const { view, engine, turn } = lab()
  engine.listed = false
  view.start()
  expect(view.current().complete).toBe(false)
  engine.listed = true
  engine.tell()
  await turn()
  expect(view.current().complete).toBe(true)
})

test('with nobody to wait for, complete as soon as the engine is listed', async () => {
  const { view, engine, cluster, turn } = lab()
  cluster.setSynced(false)
  cluster.setExpectsPeers(false)
  engine.listed = false
  view.start()
  expect(view.current().complete).toBe(false)
  engine.listed = true
  engine.tell()
  await turn()
  expect(view.current().complete).toBe(true)
})

test('with peers that do not answer, complete ten seconds after the start, and for good', async () => {
  const { view, engine, cluster, clock, turn } = lab()
  cluster.setSynced(false)
  view.start()
  await turn()
  clock.advance(9_999)
  expect(view.current().complete).toBe(false)
  clock.advance(1)
  expect(view.current().complete).toBe(true)
  engine.listed = false
  engine.tell()
  await turn()
  expect(view.current().complete).toBe(true)
})

test('without a listed engine, not complete however long we wait', async () => {
  const { view, engine, clock } = lab()
  engine.listed = false
  view.start()
  clock.advance(3_600_000)
  expect(view.current().complete).toBe(false)
})

test('an overdue restart shows by itself', async () => {
  const { view, cluster, clock, turn } = lab()
  cluster.receive(aSection(b, [], { facts: aNodeFacts({ restartingForMs: 20_000 }) }))
  cluster.setStatus(b, 'suspect')
  view.start()
  await turn()
  expect(view.current().nodes[1]?.agent).toBe('restarting')
  clock.advance(20_000)
  expect(view.current().nodes[1]?.agent).toBe('unknown')
})

test('the hop at which an instance gains or loses traffic carries the key of its walk', async () => {
  const { view, cluster, log, turn } = lab()
  cluster.receive(aSection(b, [anInstance({ containerId: 'b1' })]))
  view.start()
  cluster.receive(
    aSection(b, [anInstance({ containerId: 'b1' }), anInstance({ containerId: 'b2', state: 'unhealthy' })]),
  )
  await turn()
  cluster.receive(aSection(b, []))
  await turn()
  expect(log.lines.map(({ message, fields }) => [message, fields.key]).filter(([, key]) => key !== undefined)).toEqual([
    ['shop:web on b receives traffic: healthy', 'shop:web@b#1'],
    ['shop:web on b receives no traffic: unhealthy', 'shop:web@b#2'],
    ['shop:web on b is gone', 'shop:web@b#1'],
    ['shop:web on b is gone', 'shop:web@b#2'],
  ])
})

test('after stop nothing is rebuilt', async () => {
  const { view, cluster, clock, turn } = lab()
  view.start()
  await turn()
  const { revision } = view.current()
  view.stop()
  cluster.setStatus(b, 'dead')
  await turn()
  expect(view.current().revision).toBe(revision)
  expect(clock.pendingTimers).toBe(0)
})
