/** Both sides of the door on virtual time: what crosses, in which order, and what waits while the agent stands still. */
import { expect, test } from 'vitest'
import { instanceKey } from '../../core/registry/index.ts'
import { ConstellationError, describeError } from '../../kernel/errors.ts'
import { nodeName } from '../../kernel/units.ts'
import { anInstance } from '../../testing/builders.ts'
import { fakeCluster } from '../../testing/fake-cluster.ts'
import { recordingLog } from '../../testing/recording-log.ts'
import { recordingMetrics } from '../../testing/recording-metrics.ts'
import { threadPair } from '../../testing/thread-pair.ts'
import { settle, VirtualClock } from '../../testing/virtual-clock.ts'
import type { ClusterHandle, ClusterSnapshot } from '../cluster-handle.ts'
import type { HopName } from '../journal.ts'
import { linesMax } from './gathered-lines.ts'
import { hostCluster } from './host.ts'
import type { HostOptions, MakeCluster } from './host.ts'
import type { FromCluster, ToCluster } from './messages.ts'
import { marksMax } from './outbox.ts'
import { remoteCluster } from './remote.ts'

type Inside = Parameters<MakeCluster>[0]

const self = nodeName('a')
const web = {
  key: instanceKey('web'),
  body: { kind: 'instance' as const, instance: anInstance({ containerId: 'web' }) },
}

async function lab(options: Partial<HostOptions> & { make?: (handle: ClusterHandle) => ClusterHandle } = {}) {
  const clock = new VirtualClock()
  const world = fakeCluster(clock)
  const pair = threadPair<ToCluster, FromCluster>(clock)
  const log = recordingLog()
  const metrics = recordingMetrics()
  const marks: string[] = []
  const journal = { mark: (key: string, hop: HopName) => void marks.push(`${key} ${hop}`) }
  const handle = remoteCluster(pair.left, { clock, log, metrics, journal })
  const inside = await new Promise<Inside>(resolve => {
    const { make = (made: ClusterHandle) => made, logLevel = 'debug' } = options
    void hostCluster(pair.right, { clock, logLevel }, ports => {
      resolve(ports)
      return Promise.resolve(make(world.join(self)))
    })
  })
  /** Until nothing moves any more; takes no time. */
  async function rest(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) {
      await settle()
      clock.advance(0)
    }
  }
  await rest()
  return { clock, world, pair, log, metrics, marks, handle, inside, rest }
}

test('answers come in the order of the calls, and what led to them was told before', async () => {
  const { handle, rest, inside, log } = await lab()
  const order: string[] = []
  void handle.start().then(() => order.push('started'))
  void handle.publish([web]).then(revisions => order.push(`web#${revisions.get(web.key)}`))
  void handle
    .publish([{ key: web.key, body: { kind: 'removed' } }])
    .then(revisions => order.push(`web#${revisions.get(web.key)}, ${log.lines.length} line`))
  inside.log.info('record published')
  await rest()
  expect(order).toEqual(['started', 'web#1', 'web#2, 1 line'])
})

test('the agent sees what the cluster knows, and keeps what did not change', async () => {
  const { handle, rest, world, clock } = await lab()
  world.join(nodeName('b'))
  void handle.publish([web])
  await rest()
  const before = handle.snapshot()
  expect(before.members.map(({ name }) => name)).toEqual(['a', 'b'])
  const heard: ClusterSnapshot[] = []
  const unsubscribe = handle.onChange(snapshot => heard.push(snapshot))
  clock.advance(5)
  world.setStatus(nodeName('b'), 'suspect')
  await rest()
  expect(heard).toHaveLength(1)
  expect(handle.snapshot()).toBe(heard[0])
  expect(handle.snapshot().members).toMatchObject([{ status: 'alive' }, { status: 'suspect', statusSince: 5 }])
  expect(handle.snapshot().members[0]).toBe(before.members[0])
  expect(handle.snapshot().sections).toBe(before.sections)
  unsubscribe()
  world.setStatus(nodeName('b'), 'dead')
  await rest()
  expect(heard).toHaveLength(1)
})

test('while the agent stands still one report waits, and the next one brings everything at once', async () => {
  const { handle, rest, world, pair, clock, inside, log, metrics, marks } = await lab()
  const heard: string[] = []
  handle.onChange(({ members }) => heard.push(members.map(({ status }) => status).join()))
  world.join(nodeName('b'))
  await rest()
  heard.length = 0
  pair.setDeaf(true)
  for (let round = 0; round < 2_000; round++) {
    world.setStatus(nodeName('b'), round % 2 === 0 ? 'suspect' : 'alive')
    inside.log.info(`line ${round}`)
    inside.metrics.count('constellation_gossip_packets_total', { direction: 'sent' })
    inside.metrics.gauge('constellation_gossip_queue_depth', round)
    inside.journal.mark(`web@b#${round}`, 'received', clock.now(), 'here')
    await settle()
    clock.advance(10)
    expect(pair.right.undelivered.length).toBeLessThanOrEqual(1)
  }
  world.setStatus(nodeName('b'), 'dead')
  pair.setDeaf(false)
  await rest()
  expect(heard.at(-1)).toBe('alive,dead')
  expect(heard.length).toBeLessThanOrEqual(2)
  expect(metrics.value('constellation_gossip_packets_total', { direction: 'sent' })).toBe(2_000)
  expect(metrics.value('constellation_gossip_queue_depth')).toBe(1_999)
  expect(marks.length).toBeLessThanOrEqual(marksMax + 1)
  expect(marks.at(-1)).toBe('web@b#1999 received')
  const told = log.lines.filter(({ message }) => message.startsWith('line '))
  expect(told.length).toBeGreaterThanOrEqual(linesMax)
  expect(told.length).toBeLessThanOrEqual(linesMax + 1)
  expect(told[1]?.fields).toMatchObject({ waitedMs: expect.any(Number) })
  expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { lines: 2_000 - told.length } }])
})

test('numbers alone are told once a second', async () => {
  const { inside, clock, metrics, rest } = await lab()
  const received = (): number => metrics.value('constellation_gossip_packets_total', { direction: 'received' })
  const told = new Set<number>()
  for (let i = 0; i < 300; i++) {
    inside.metrics.count('constellation_gossip_packets_total', { direction: 'received' }, 2)
    clock.advance(10)
    await rest()
    told.add(received())
  }
  clock.advance(1_000)
  await rest()
  // None, and after one, two and three seconds.
  expect(told.size).toBe(4)
  expect(received()).toBe(600)
})

test('figures of the cluster are those of the last report', async () => {
  let probes = 0
  const { handle, inside, rest } = await lab({
    make: made => ({ ...made, stats: () => ({ ...made.stats(), probes }) }),
  })
  expect(handle.stats().probes).toBe(0)
  probes = 7
  inside.log.info('something')
  await rest()
  expect(handle.stats().probes).toBe(7)
})

test('a start that the world refused is refused in the same words on this side', async () => {
  const cause = new Error('bind EADDRINUSE')
  const taken = new ConstellationError('ADDRESS_IN_USE', 'cannot listen: the port is taken', { cause, hint: 'look' })
  const { handle, rest } = await lab({ make: made => ({ ...made, start: () => Promise.reject(taken) }) })
  const refused = handle.start().catch((error: unknown) => error)
  await rest()
  const error = await refused
  expect(error).toBeInstanceOf(ConstellationError)
  expect(error).toMatchObject({ code: 'ADDRESS_IN_USE', hint: 'look', name: 'ConstellationError' })
  expect(describeError(error)).toBe(describeError(taken))
})

test('a cluster that cannot be made says why to whoever starts it, and its last lines are told', async () => {
  const clock = new VirtualClock()
  const pair = threadPair<ToCluster, FromCluster>(clock)
  const log = recordingLog()
  const handle = remoteCluster(pair.left, { clock, log, metrics: recordingMetrics() })
  const started = handle.start().catch(describeError)
  await hostCluster(pair.right, { clock, logLevel: 'info' }, ({ log: inside }) => {
    inside.warn('no key')
    return Promise.reject(new ConstellationError('KEYRING_UNREADABLE', 'cannot read the keyring'))
  })
  for (let turn = 0; turn < 5; turn++) {
    clock.advance(0)
    await settle()
  }
  expect(await started).toBe('cannot read the keyring')
  expect(log.lines).toMatchObject([{ level: 'warn', message: 'no key' }])
})

test('a bug crosses with its name and stack', async () => {
  const bug = new TypeError('x is not a function')
  const { handle, rest } = await lab({ make: made => ({ ...made, publish: () => Promise.reject(bug) }) })
  const failed = handle.publish([web]).catch((error: unknown) => error)
  await rest()
  expect(await failed).toMatchObject({ name: 'TypeError', message: bug.message, stack: bug.stack })
})

test('log fields cross whatever they are, errors with their causes, and lines nobody writes do not cross', async () => {
  const { inside, log, rest } = await lab({ logLevel: 'info' })
  const error = new ConstellationError('STATE_UNWRITABLE', 'cannot write', {
    cause: new Error('disk full'),
    hint: 'room',
  })
  inside.log.debug('unseen')
  inside.log
    .child({ part: 'peers' })
    .warn('kept', { error, list: [1, { deep: () => 1 }], nested: { error }, none: undefined })
  await rest()
  expect(log.lines).toHaveLength(1)
  const fields = log.lines[0]?.fields
  expect(fields).toMatchObject({
    part: 'peers',
    list: [1, { deep: expect.any(String) }],
    nested: { error: 'cannot write: disk full' },
  })
  expect(fields?.error).toBeInstanceOf(ConstellationError)
  expect(fields?.error).toMatchObject({ code: 'STATE_UNWRITABLE', hint: 'room' })
  expect(describeError(fields?.error)).toBe('cannot write: disk full')
})

test('stop tells the last words, answers whoever still waits, and later calls do nothing', async () => {
  const { handle, rest, inside, log, clock, pair } = await lab({
    make: made => ({ ...made, leave: () => new Promise<void>(() => undefined) }),
  })
  const left = handle.leave(60_000)
  inside.metrics.count('constellation_gossip_packets_total', { direction: 'sent' })
  inside.log.info('goodbye')
  const stopped = handle.stop()
  await rest()
  await Promise.all([stopped, left])
  expect(log.lines.map(({ message }) => message)).toEqual(['goodbye'])
  expect(clock.pendingTimers).toBe(0)
  expect(await handle.publish([web])).toEqual(new Map())
  handle.markComplete()
  inside.log.info('too late')
  inside.metrics.count('constellation_gossip_packets_total', { direction: 'sent' })
  await rest()
  expect(pair.left.undelivered).toEqual([])
  expect(clock.pendingTimers).toBe(0)
  expect(log.lines).toHaveLength(1)
})

test('an answer that comes after the stop is for nobody', async () => {
  let leave = (): void => undefined
  const { handle, rest } = await lab({
    make: made => ({ ...made, leave: () => new Promise<void>(resolve => (leave = resolve)) }),
  })
  const left = handle.leave(60_000)
  const stopped = handle.stop()
  await rest()
  await Promise.all([stopped, left])
  leave()
  await rest()
})
