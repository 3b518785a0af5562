import { expect, test } from 'vitest'
import { instanceKey } from '../core/registry/index.ts'
import { aContainer } from '../testing/builders.ts'
import { createObservations } from './observations.ts'

const container = aContainer()
const key = instanceKey(container.id)

test('a fact counts from when it was first seen, however often it is listed', () => {
  const observations = createObservations()
  observations.seen({ ...container, health: 'unhealthy' }, 10)
  observations.seen({ ...container, health: 'unhealthy' }, 20)
  expect(observations.take(key)).toEqual({ atMs: 10, detail: 'running, unhealthy' })
})

test('what led to one change does not explain the next', () => {
  const observations = createObservations()
  observations.seen({ ...container, health: 'unhealthy' }, 10)
  observations.take(key)
  observations.seen({ ...container, health: 'unhealthy' }, 20)
  expect(observations.take(key)).toBeUndefined()
  observations.seen({ ...container, health: 'healthy' }, 30)
  expect(observations.take(key)).toEqual({ atMs: 30, detail: 'running, healthy' })
})

test('of a container that flaps the last turn counts, for the hold began with it', () => {
  const observations = createObservations()
  for (const [health, atMs] of [
    ['healthy', 10],
    ['unhealthy', 20],
    ['healthy', 30],
  ] as const)
    observations.seen({ ...container, health }, atMs)
  expect(observations.take(key)?.atMs).toBe(30)
})

test.each([
  [{ health: 'none' }, 'running'],
  [{ state: 'exited', exitCode: 137 }, 'exited with 137'],
  [{ state: 'paused' }, 'paused'],
] as const)('%o reads "%s"', (over, detail) => {
  const observations = createObservations()
  observations.seen({ ...container, ...over }, 1)
  expect(observations.take(key)).toEqual({ atMs: 1, detail })
})

test('a container that is gone is the last that is seen of it', () => {
  const observations = createObservations()
  observations.seen(container, 1)
  observations.gone(container.id, 5)
  expect(observations.take(key)).toEqual({ atMs: 5, detail: 'gone' })
  expect(observations.take(key)).toBeUndefined()
})
