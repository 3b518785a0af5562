import { expect, test } from 'vitest'
import type { EngineEvent } from '../../ports/container-engine.ts'
import { aContainer } from '../../testing/builders.ts'
import { createMemoryEngine } from './container-engine.ts'
import type { MemoryEngine, MemoryEngineOptions } from './container-engine.ts'

function watched(options: MemoryEngineOptions = {}) {
  const engine: MemoryEngine = createMemoryEngine(options)
  const stop = new AbortController()
  const events: EngineEvent[] = []
  const ended = engine.watch(event => events.push(event), stop.signal)
  return { engine, events, ended, stop, kinds: () => events.map(event => event.kind) }
}

test('a watcher hears the version, then everything there is, then each change', () => {
  const { engine, events } = watched({ containers: [aContainer({ id: 'one' })] })
  engine.put(aContainer({ id: 'two' }))
  engine.change('one', { health: 'unhealthy' })
  engine.remove('two')
  expect(events).toEqual([
    { kind: 'connected', version: 'memory' },
    { kind: 'listed', containers: [aContainer({ id: 'one' })] },
    { kind: 'changed', container: aContainer({ id: 'two' }) },
    { kind: 'changed', container: aContainer({ id: 'one', health: 'unhealthy' }) },
    { kind: 'removed', id: 'two' },
  ])
})

test('an outage is heard once; what changed meanwhile is in the list that follows it', () => {
  const { engine, events, kinds } = watched({ containers: [aContainer({ id: 'one' })] })
  engine.disconnect('engine died')
  engine.disconnect('engine still dead')
  engine.remove('one')
  engine.put(aContainer({ id: 'two' }))
  expect(kinds()).toEqual(['connected', 'listed', 'disconnected'])
  engine.connect()
  expect(events.slice(3)).toEqual([
    { kind: 'connected', version: 'memory' },
    { kind: 'listed', containers: [aContainer({ id: 'two' })] },
  ])
})

test('an engine that is absent at first says so and is listed when it appears', () => {
  const { engine, kinds } = watched({ connected: false })
  expect(kinds()).toEqual(['disconnected'])
  engine.connect()
  expect(kinds()).toEqual(['disconnected', 'connected', 'listed'])
})

test('a restarted container runs again, unproven, started later, without its exit code', async () => {
  const dead = aContainer({ id: 'one', state: 'exited', exitCode: 137, health: 'unhealthy', failingStreak: 3 })
  const { engine, events } = watched({ containers: [dead] })
  await engine.restart('one', new AbortController().signal)
  const startedAtWallMs = 1_700_000_000_001
  expect(events.at(-1)).toEqual({
    kind: 'changed',
    container: aContainer({ id: 'one', health: 'starting', startedAtWallMs }),
  })
  expect(engine.restarts).toEqual(['one'])
})

test('restart tells a container that is gone from an engine that is', async () => {
  const { engine } = watched({ containers: [aContainer({ id: 'one' })] })
  const signal = new AbortController().signal
  await expect(engine.restart('two', signal)).rejects.toMatchObject({ code: 'CONTAINER_GONE' })
  engine.disconnect('engine died')
  await expect(engine.restart('one', signal)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
})

test('watching ends when its signal aborts, and nothing is heard afterwards', async () => {
  const { engine, events, ended, stop } = watched()
  stop.abort()
  await ended
  const heard = events.length
  engine.put(aContainer())
  expect(events).toHaveLength(heard)
  const late = new AbortController()
  late.abort()
  await engine.watch(event => events.push(event), late.signal)
  expect(events).toHaveLength(heard)
})
