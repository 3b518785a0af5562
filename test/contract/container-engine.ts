/**
 * What the agent relies on from any container engine, as one suite for all of them. A harness brings a real engine and acts
 * on its workloads behind the engine's back, as people and crashes do.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerEngine } from '../../src/ports/container-engine.ts'
import { watchEngine } from './watcher.ts'
import type { Watcher } from './watcher.ts'

export interface EngineHarness {
  readonly engine: ContainerEngine
  /** A web workload with a health check that passes. Its name is unique; it may first run once the engine is watched. */
  start(name: string): Promise<void>
  setHealth(name: string, healthy: boolean): Promise<void>
  /** It dies at once, by no will of the engine. */
  kill(name: string): Promise<void>
  remove(name: string): Promise<void>
  /** Changes whenever the workload starts anew, by the word of the runtime itself. */
  startMark(name: string): Promise<string>
  close(): Promise<void>
}

export interface EngineTraits {
  /** Lists by itself every 10 s; a twin in memory lists when told to. */
  readonly listsByItself: boolean
  /** The port the workloads publish can be connected to. */
  readonly publishes: boolean
}

export function containerEngineContract(title: string, traits: EngineTraits, open: () => Promise<EngineHarness>): void {
  describe(title, () => {
    let harness: EngineHarness
    let count = 0
    const names: string[] = []
    const watchers: Watcher[] = []

    beforeAll(async () => {
      harness = await open()
    })
    afterEach(async () => {
      for (const name of names.splice(0)) await harness.remove(name)
      for (const watcher of watchers.splice(0)) await watcher.stop()
    })
    afterAll(() => harness?.close())

    function watch(): Watcher {
      const watcher = watchEngine(harness.engine)
      watchers.push(watcher)
      return watcher
    }

    async function start(): Promise<string> {
      const name = `contract-${process.pid}-${++count}`
      names.push(name)
      await harness.start(name)
      return name
    }

    async function healthyOne(): Promise<{ watcher: Watcher; name: string }> {
      const watcher = watch()
      const name = await start()
      await watcher.until('it is healthy', () => watcher.find(name)?.health === 'healthy')
      return { watcher, name }
    }

    test('says that it is connected, and to what, then lists everything there is', async () => {
      const names = [await start(), await start()]
      const watcher = watch()
      await watcher.until('it has listed', () => watcher.events.some(event => event.kind === 'listed'))
      const [connected, listed] = watcher.events
      expect(connected).toMatchObject({ kind: 'connected', version: expect.stringMatching(/\S/) })
      const listedNames = listed?.kind === 'listed' ? listed.containers.map(container => container.name) : []
      expect(listedNames).toEqual(expect.arrayContaining(names))
    })

    test('a workload started while the engine connects is not missed', async () => {
      for (let round = 0; round < 5; round++) {
        const watcher = watch()
        const name = await start()
        await watcher.until('it is known', () => watcher.find(name)?.state === 'running')
      }
    })

    test('reports a running, checked workload whole', async () => {
      const { watcher, name } = await healthyOne()
      expect(watcher.find(name)).toMatchObject({
        name,
        id: expect.stringMatching(/^[\da-z-]{8,}$/),
        image: expect.stringMatching(/\S/),
        labels: { 'constellation.service': name },
        state: 'running',
        health: 'healthy',
        failingStreak: 0,
        startedAtWallMs: expect.any(Number),
      })
      expect(watcher.find(name)).not.toHaveProperty('exitCode')
      const [endpoint] = watcher.find(name)?.endpoints ?? []
      expect(endpoint).toMatchObject({ protocol: 'tcp', hostIp: '127.0.0.1' })
      if (traits.publishes) expect(await answerOf(endpoint?.hostPort)).toBe(200)
    })

    test('reports a flip to unhealthy and back, with the streak', async () => {
      const { watcher, name } = await healthyOne()
      await harness.setHealth(name, false)
      await watcher.until('it is unhealthy', () => watcher.find(name)?.health === 'unhealthy')
      expect(watcher.find(name)?.failingStreak).toBeGreaterThan(0)
      expect(watcher.find(name)?.state).toBe('running')
      await harness.setHealth(name, true)
      await watcher.until('it is healthy again', () => watcher.find(name)?.health === 'healthy')
      expect(watcher.find(name)?.failingStreak).toBe(0)
    })

    test('a workload that dies is reported as not running, with its exit code', async () => {
      const { watcher, name } = await healthyOne()
      const died = (): boolean =>
        watcher.events.some(
          ({ ...event }) =>
            event.kind === 'changed' &&
            event.container.name === name &&
            event.container.state !== 'running' &&
            event.container.exitCode === 137,
        )
      await harness.kill(name)
      await watcher.until('its death is known', died)
    })

    test('a workload that is removed is reported as removed, and listed no more', async () => {
      const { watcher, name } = await healthyOne()
      const id = watcher.find(name)?.id
      await harness.remove(name)
      await watcher.until('it is removed', () =>
        watcher.events.some(event => event.kind === 'removed' && event.id === id),
      )
      const second = watch()
      await second.until('it has listed', () => second.events.some(event => event.kind === 'listed'))
      expect(second.find(name)).toBeUndefined()
    })

    test('restart starts it anew under the same id, and is seen', async () => {
      const { watcher, name } = await healthyOne()
      const before = watcher.find(name)
      const mark = await harness.startMark(name)
      await harness.engine.restart(before?.id ?? '', new AbortController().signal)
      expect(await harness.startMark(name)).not.toBe(mark)
      await watcher.until('the new start is known', () => {
        const now = watcher.find(name)
        return now?.state === 'running' && (now.startedAtWallMs ?? 0) > (before?.startedAtWallMs ?? 0)
      })
      expect(watcher.find(name)?.id).toBe(before?.id)
      expect(watcher.find(name)).not.toHaveProperty('exitCode')
      await harness.setHealth(name, true) // the twin in memory has nobody who checks
      await watcher.until('it is healthy again', () => watcher.find(name)?.health === 'healthy')
    })

    test('restart of what does not exist rejects with CONTAINER_GONE', async () => {
      watch()
      const { name, watcher } = await healthyOne()
      const id = watcher.find(name)?.id ?? ''
      await harness.remove(name)
      await watcher.until('it is removed', () => watcher.find(name) === undefined)
      const signal = new AbortController().signal
      await expect(harness.engine.restart(id, signal)).rejects.toMatchObject({ code: 'CONTAINER_GONE' })
    })

    test('watching, and ceasing to watch, touches nothing', async () => {
      const { watcher, name } = await healthyOne()
      const mark = await harness.startMark(name)
      await watcher.stop()
      for (let round = 0; round < 3; round++) {
        const again = watch()
        await again.until('it is known', () => again.find(name)?.health === 'healthy')
        await again.stop()
      }
      expect(await harness.startMark(name)).toBe(mark)
    })

    test('watching ends at once when its signal aborts, and nothing is heard afterwards', async () => {
      const { watcher, name } = await healthyOne()
      const other = watch()
      await other.until('it has listed', () => other.events.some(event => event.kind === 'listed'))
      await watcher.stop()
      const heard = watcher.events.length
      await harness.setHealth(name, false)
      await other.until('another watcher hears', () => other.find(name)?.health === 'unhealthy')
      expect(watcher.events).toHaveLength(heard)
    })

    if (!traits.listsByItself) return

    test('lists again every 10 s', async () => {
      const watcher = watch()
      const lists = (): number => watcher.events.filter(event => event.kind === 'listed').length
      await watcher.until('it has listed', () => lists() === 1)
      const began = performance.now()
      await watcher.until('it has listed again', () => lists() === 2)
      expect(performance.now() - began).toBeGreaterThan(9_000)
      expect(performance.now() - began).toBeLessThan(12_000)
    })
  })
}

async function answerOf(port: number | undefined): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/`)
  return response.status
}
