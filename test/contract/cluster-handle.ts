/**
 * What every ClusterHandle keeps, wherever its cluster lives. Whole clusters on virtual time and a simulated network; what
 * a handle promises is awaited while that time runs.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { memoryStateFiles } from '../../src/adapters/memory/state-files.ts'
import type { ClusterHandle, ClusterSettings, ClusterSnapshot } from '../../src/controllers/cluster-handle.ts'
import type { ClusterPorts } from '../../src/controllers/cluster.ts'
import { instanceKey } from '../../src/core/registry/index.ts'
import type { Instance, SectionRecord } from '../../src/core/registry/index.ts'
import { createPrng } from '../../src/kernel/prng.ts'
import { nodeName } from '../../src/kernel/units.ts'
import type { Address } from '../../src/kernel/units.ts'
import { aProfile, anInstance } from '../../src/testing/builders.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { recordingMetrics } from '../../src/testing/recording-metrics.ts'
import { createSimNetwork } from '../../src/testing/sim/network.ts'
import { simSockets } from '../../src/testing/sim/sockets.ts'
import { createSimTime } from '../../src/testing/sim/time.ts'
import type { SimTime } from '../../src/testing/sim/time.ts'
import { settle } from '../../src/testing/virtual-clock.ts'

export type OpenHandle = (settings: ClusterSettings, ports: ClusterPorts) => ClusterHandle

const running: { readonly handle: ClusterHandle; readonly time: SimTime }[] = []

afterEach(async () => {
  for (const { handle, time } of running.splice(0)) await during(time, handle.stop())
})

/** The outcome of a promise that needs time to pass; time passes only as far as it must. */
async function during<T>(time: SimTime, promise: Promise<T>): Promise<T> {
  const waiting = new Set([promise])
  void promise.catch(() => undefined).finally(() => waiting.clear())
  for (let turn = 0; waiting.size > 0 && turn < 100_000; turn++) {
    await settle()
    if (waiting.size > 0) time.run(turn < 10 ? 0 : 1)
  }
  return promise
}

async function until(time: SimTime, condition: () => boolean, withinMs: number): Promise<boolean> {
  for (let passedMs = 0; passedMs < withinMs && !condition(); passedMs += 10) {
    time.run(10)
    await settle()
  }
  return condition()
}

function lab(open: OpenHandle) {
  const time = createSimTime()
  const network = createSimNetwork(time, createPrng(1), { latencyMs: [1, 10], loss: 0 })

  function make(name: string, last: number, ports: Partial<ClusterPorts> = {}) {
    const address: Address = { ip: `10.0.0.${last}`, port: 7946 }
    const log = recordingLog()
    const metrics = recordingMetrics()
    const handle = open(
      { name: nodeName(name), bind: address, advertise: address, seeds: ['10.0.0.1'], profile: aProfile() },
      {
        clock: time,
        ...simSockets(network),
        stateFiles: memoryStateFiles(),
        log,
        metrics,
        seed: last,
        resolveSeed: ip => Promise.resolve([{ ip, port: 7946 }]),
        ...ports,
      },
    )
    running.push({ handle, time })
    return { handle, log, metrics }
  }

  async function start(name: string, last: number) {
    const made = make(name, last)
    await during(time, made.handle.start())
    return made
  }
  return { time, make, start }
}

const [a, b] = [nodeName('a'), nodeName('b')]
const published = (containerId: string, over: Partial<Instance> = {}) => ({
  key: instanceKey(containerId),
  body: { kind: 'instance' as const, instance: anInstance({ containerId, ...over }) },
})
const statusOf = ({ members }: ClusterSnapshot, name: string): string | undefined =>
  members.find(member => member.name === name)?.status
const recordOf = ({ sections }: ClusterSnapshot, id: string): SectionRecord | undefined =>
  sections.get(a)?.records.get(instanceKey(id))

export function clusterHandleContract(name: string, open: OpenHandle): void {
  describe(`cluster handle: ${name}`, () => {
    test('after start the node itself is there, and it is not synced with anybody', async () => {
      const { start } = lab(open)
      const { handle } = await start('b', 2)
      expect(handle.snapshot()).toMatchObject({ members: [{ name: 'b', status: 'alive' }], synced: false })
      expect(handle.snapshot().sections.get(b)).toMatchObject({ owner: 'b', complete: false })
    })

    test('what is published has rising revisions and reaches the others, equal bodies change nothing', async () => {
      const { time, start } = lab(open)
      const [one, other] = [await start('a', 1), await start('b', 2)]
      await until(time, () => other.handle.snapshot().synced, 5_000)
      const first = await during(time, one.handle.publish([published('web'), published('db')]))
      const again = await during(time, one.handle.publish([published('web')]))
      const gone = await during(time, one.handle.publish([{ key: 'i/db', body: { kind: 'removed' } }]))
      expect([first, again, gone].map(revisions => [...revisions])).toEqual([
        [
          ['i/web', 1],
          ['i/db', 2],
        ],
        [['i/web', 1]],
        [['i/db', 3]],
      ])
      const nothing = await during(time, one.handle.publish([{ key: 'i/never', body: { kind: 'removed' } }]))
      expect(nothing).toEqual(new Map())
      const arrived = (): boolean => recordOf(other.handle.snapshot(), 'db')?.body.kind === 'removed'
      expect(await until(time, arrived, 2_000)).toBe(true)
      expect(recordOf(other.handle.snapshot(), 'web')?.version.revision).toBe(1)
    })

    test('listeners hear of the changes of one turn at once, and what did not change is the same object', async () => {
      const { time, start } = lab(open)
      const [one, other] = [await start('a', 1), await start('b', 2)]
      await until(time, () => statusOf(one.handle.snapshot(), 'b') === 'alive', 5_000)
      await during(time, one.handle.publish([published('old')]))
      await until(time, () => recordOf(other.handle.snapshot(), 'old') !== undefined, 2_000)
      const before = other.handle.snapshot()
      const heard: number[] = []
      const unsubscribe = one.handle.onChange(({ sections }) => heard.push(sections.get(a)?.records.size ?? 0))
      for (const id of ['x', 'y', 'z']) void one.handle.publish([published(id)])
      await until(time, () => recordOf(other.handle.snapshot(), 'z') !== undefined, 2_000)
      expect(heard.at(-1)).toBe(4)
      expect(heard.length).toBeLessThanOrEqual(2)
      const after = other.handle.snapshot()
      expect(recordOf(after, 'old')).toBe(recordOf(before, 'old'))
      expect(after.sections.get(b)).toBe(before.sections.get(b))
      expect(after.sections.get(a)).not.toBe(before.sections.get(a))
      unsubscribe()
      await during(time, one.handle.publish([published('w')]))
      await until(time, () => false, 50)
      expect(heard.at(-1)).toBe(4)
    })

    test('completeness, profile, figures, lines and numbers come through', async () => {
      const { time, start } = lab(open)
      const [one, other] = [await start('a', 1), await start('b', 2)]
      one.handle.markComplete()
      expect(await until(time, () => other.handle.snapshot().sections.get(a)?.complete === true, 40_000)).toBe(true)
      const metaAtB = (): number | undefined => other.handle.snapshot().members[0]?.meta.length
      const before = metaAtB() ?? 0
      one.handle.setProfile(aProfile({ cordoned: true, publicIp: '203.0.113.7' }))
      expect(await until(time, () => (metaAtB() ?? 0) > before, 2_000)).toBe(true)
      await until(time, () => false, 2_000)
      expect(one.handle.stats().packetsSent).toBeGreaterThan(0)
      expect(one.metrics.value('constellation_gossip_members', { status: 'alive' })).toBe(2)
      expect(one.log.lines).toContainEqual(expect.objectContaining({ level: 'info', message: 'member joined' }))
    })

    test('a member that leaves has left for the others', async () => {
      const { time, start } = lab(open)
      const [one, other] = [await start('a', 1), await start('b', 2)]
      await until(time, () => statusOf(one.handle.snapshot(), 'b') === 'alive', 5_000)
      await during(time, other.handle.leave(5_000))
      expect(await until(time, () => statusOf(one.handle.snapshot(), 'b') === 'left', 3_000)).toBe(true)
    })

    test('a start without sockets says why', async () => {
      const { time, make } = lab(open)
      const taken = new Error('the port is taken')
      const { handle } = make('a', 1, { openDatagrams: () => Promise.reject(taken) })
      await expect(during(time, handle.start())).rejects.toThrow('the port is taken')
    })

    test('after stop nobody is called, and asking is answered', async () => {
      const { time, start } = lab(open)
      const [one, other] = [await start('a', 1), await start('b', 2)]
      await until(time, () => statusOf(one.handle.snapshot(), 'b') === 'alive', 5_000)
      let calls = 0
      other.handle.onChange(() => calls++)
      await during(time, other.handle.stop())
      await during(time, other.handle.stop())
      await during(time, other.handle.publish([published('web')]))
      await until(time, () => statusOf(one.handle.snapshot(), 'b') === 'dead', 30_000)
      expect(statusOf(one.handle.snapshot(), 'b')).toBe('dead')
      expect(calls).toBe(0)
    })
  })
}
