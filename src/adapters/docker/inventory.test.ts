import { expect, test } from 'vitest'
import type { EngineEvent } from '../../ports/container-engine.ts'
import { EngineUnavailable } from '../../ports/container-engine.ts'
import { recordingLog } from '../../testing/recording-log.ts'
import { settle } from '../../testing/virtual-clock.ts'
import type { DockerClient } from './client.ts'
import { createInventory } from './inventory.ts'

/** An engine as a table: what its list says, and what inspecting answers; the two may disagree, as they do in a race. */
function lab() {
  const rows = new Map<string, string>()
  const inspected = new Map<string, object | Error>()
  const asked: string[] = []
  const client: DockerClient = {
    engineVersion: 'table',
    engineSeconds: undefined,
    list: () => Promise.resolve([...rows].map(([Id, Status]) => ({ Id, Status }))),
    inspect(id) {
      asked.push(id)
      const answer = inspected.get(id)
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    events: () => Promise.reject(new Error('not used here')),
    restart: () => Promise.reject(new Error('not used here')),
  }
  const events: EngineEvent[] = []
  const log = recordingLog()
  const inventory = createInventory(event => events.push(event), log)
  const survey = () => inventory.survey(client, new AbortController().signal)
  const run = (id: string, health: string, streak = 0): void => {
    rows.set(id, `Up 5 minutes (${health})`)
    const Health = { Status: health, FailingStreak: streak }
    inspected.set(id, { Id: id, State: { Status: 'running', Health } })
  }
  const drop = (id: string): void => {
    rows.delete(id)
    inspected.delete(id)
  }
  const takeAsked = (): string[] => asked.splice(0)
  const ids = () => inventory.containers().map(container => container.id)
  return { rows, inspected, events, log, inventory, survey, run, drop, takeAsked, ids }
}

test('before the first listing is complete nothing is reported', async () => {
  const { run, survey, events, ids } = lab()
  run('a', 'healthy')
  const first = survey()
  first.onEvent('a')
  await settle()
  expect(events).toEqual([])
  await first.list()
  expect(ids()).toEqual(['a'])
  expect(events).toEqual([])
})

test('a listing inspects what is new or changed, and whatever fails its check', async () => {
  const { run, survey, takeAsked } = lab()
  run('quiet', 'healthy')
  run('sick', 'unhealthy', 1)
  const first = survey()
  await first.list()
  expect(takeAsked()).toEqual(['quiet', 'sick'])
  run('new', 'healthy')
  await first.list()
  expect(takeAsked()).toEqual(['sick', 'new'])
})

test('a growing streak is reported though neither event nor row tells of it, and is no missed event', async () => {
  const { run, survey, events } = lab()
  run('sick', 'unhealthy', 1)
  const first = survey()
  await first.list()
  run('sick', 'unhealthy', 2)
  expect(await first.list()).toEqual({ missedEvents: false })
  expect(events).toMatchObject([{ kind: 'changed', container: { failingStreak: 2 } }])
})

test('an event is worth a look, and only news is reported', async () => {
  const { run, survey, events } = lab()
  run('a', 'healthy')
  const first = survey()
  await first.list()
  first.onEvent('a')
  await settle()
  expect(events).toEqual([])
  run('a', 'unhealthy', 3)
  first.onEvent('a')
  await settle()
  expect(events).toMatchObject([{ kind: 'changed', container: { id: 'a', health: 'unhealthy' } }])
  expect(await first.list()).toEqual({ missedEvents: false })
})

test('a change no event told of is found by listing, and is a reason to distrust the stream', async () => {
  const { run, survey, events } = lab()
  run('a', 'healthy')
  const first = survey()
  await first.list()
  run('a', 'unhealthy', 3)
  expect(await first.list()).toEqual({ missedEvents: true })
  expect(events).toMatchObject([{ kind: 'changed', container: { id: 'a', health: 'unhealthy' } }])
  expect(await first.list()).toEqual({ missedEvents: false })
})

test('a change without an event is noticed though an event named the same container shortly before', async () => {
  const { run, survey } = lab()
  run('a', 'starting')
  const first = survey()
  await first.list()
  run('a', 'healthy')
  first.onEvent('a')
  await settle()
  run('a', 'unhealthy', 3)
  expect(await first.list()).toEqual({ missedEvents: true })
})

test('an event that arrives while the listing looks is not missed', async () => {
  const { run, survey } = lab()
  run('a', 'healthy')
  const first = survey()
  await first.list()
  run('a', 'unhealthy', 3)
  const listing = first.list()
  first.onEvent('a')
  expect(await listing).toEqual({ missedEvents: false })
})

test('a container that is gone, or is being removed, is removed once', async () => {
  const { run, drop, inspected, survey, events, ids } = lab()
  run('a', 'healthy')
  run('b', 'healthy')
  const first = survey()
  await first.list()
  drop('a')
  inspected.set('b', { Id: 'b', State: { Status: 'removing' } })
  for (const id of ['a', 'b', 'a', 'b', 'never-seen']) first.onEvent(id)
  await settle()
  await first.list()
  expect(events).toEqual([
    { kind: 'removed', id: 'a' },
    { kind: 'removed', id: 'b' },
  ])
  expect(ids()).toEqual([])
})

test('a container made after the list was written is not taken for gone', async () => {
  const { run, rows, survey, events, ids } = lab()
  const first = survey()
  await first.list()
  run('late', 'healthy')
  first.onEvent('late')
  await settle()
  rows.delete('late') // the list that is on its way was written before
  await first.list()
  expect(ids()).toEqual(['late'])
  expect(events.map(event => event.kind)).toEqual(['changed'])
})

test('after a reconnect everything is looked at anew: gone ones go, changed ones are as they are now', async () => {
  const { run, drop, survey, events, inventory } = lab()
  run('gone', 'healthy')
  run('sick', 'healthy')
  await survey().list()
  drop('gone')
  run('sick', 'unhealthy', 1)
  expect(inventory.containers().map(container => container.health)).toEqual(['healthy', 'healthy'])
  await survey().list()
  expect(inventory.containers()).toMatchObject([{ id: 'sick', health: 'unhealthy' }])
  expect(events).toEqual([]) // the listing that follows says it all
})

test('one container the engine chokes on hides no other and keeps its last fact', async () => {
  const { run, inspected, survey, takeAsked, ids, log } = lab()
  run('a', 'healthy')
  run('wedged', 'healthy')
  await survey().list()
  inspected.set('wedged', new EngineUnavailable('docker inspect wedged: no answer within 5 s'))
  const second = survey()
  await second.list()
  expect(ids()).toEqual(['a', 'wedged'])
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { count: 1 } }])
  takeAsked()
  await second.list()
  expect(takeAsked()).toEqual(['wedged']) // not given up
})

test('an engine that lists containers but tells of none of them does not answer', async () => {
  const { run, inspected, survey } = lab()
  run('a', 'healthy')
  inspected.set('a', new EngineUnavailable('docker inspect a: no answer within 5 s'))
  await expect(survey().list()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
})

test('an answer that names no container is no proof that one is gone', async () => {
  const { run, inspected, survey, ids } = lab()
  run('a', 'healthy')
  run('b', 'healthy')
  const first = survey()
  await first.list()
  inspected.set('a', { message: 'half an answer' })
  first.onEvent('a')
  await settle()
  expect(ids()).toEqual(['a', 'b'])
})
