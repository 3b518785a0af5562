import { expect, test } from 'vitest'
import { membershipProfiles } from './profiles.ts'
import { createSuspicion, suspicionBounds, suspicionDuration } from './suspicion.ts'

test.each([
  { members: 1, minMs: 4_000, maxMs: 24_000, wanted: 0 },
  { members: 2, minMs: 4_000, maxMs: 24_000, wanted: 0 },
  { members: 3, minMs: 4_000, maxMs: 24_000, wanted: 0 },
  { members: 4, minMs: 4_000, maxMs: 24_000, wanted: 2 },
  { members: 9, minMs: 4_000, maxMs: 24_000, wanted: 2 },
  { members: 10, minMs: 4_000, maxMs: 24_000, wanted: 2 },
  { members: 30, minMs: 5_908, maxMs: 35_448, wanted: 2 },
  { members: 100, minMs: 8_000, maxMs: 48_000, wanted: 2 },
  { members: 1_000, minMs: 12_000, maxMs: 72_000, wanted: 2 },
])('among $members members a suspicion lasts $minMs to $maxMs ms', ({ members, ...bounds }) => {
  expect(suspicionBounds(membershipProfiles.tailnet, members)).toEqual(bounds)
})

test.each([
  { wanted: 0, confirmations: 0, durationMs: 4_000 },
  { wanted: 2, confirmations: 0, durationMs: 24_000 },
  { wanted: 2, confirmations: 1, durationMs: 11_381 },
  { wanted: 2, confirmations: 2, durationMs: 4_000 },
  { wanted: 3, confirmations: 1, durationMs: 14_000 },
  { wanted: 3, confirmations: 7, durationMs: 4_000 },
])('$confirmations of $wanted confirmations leave $durationMs ms', ({ wanted, confirmations, durationMs }) => {
  expect(suspicionDuration({ minMs: 4_000, maxMs: 24_000, wanted }, confirmations)).toBe(durationMs)
})

const bounds = { minMs: 4_000, maxMs: 24_000, wanted: 2 }

test('each member confirms once, and the accuser does not confirm itself', () => {
  const suspicion = createSuspicion(1_000, 'accuser', bounds)
  expect(suspicion.confirm('accuser')).toBe(false)
  expect(suspicion.deadline).toBe(25_000)
  expect(suspicion.confirm('m1')).toBe(true)
  expect(suspicion.confirm('m1')).toBe(false)
  expect(suspicion.deadline).toBe(12_381)
})

test('voices beyond those wanted change nothing', () => {
  const suspicion = createSuspicion(1_000, 'accuser', bounds)
  expect(['m1', 'm2', 'm3', 'm4'].map(name => suspicion.confirm(name))).toEqual([true, true, false, false])
  expect(suspicion.deadline).toBe(5_000)
})

test('where no confirmation is awaited none counts', () => {
  const suspicion = createSuspicion(1_000, 'accuser', { ...bounds, wanted: 0 })
  expect(suspicion.deadline).toBe(5_000)
  expect(suspicion.confirm('m1')).toBe(false)
  expect(suspicion.deadline).toBe(5_000)
})

test('postponing moves the deadline and nothing else', () => {
  const suspicion = createSuspicion(1_000, 'accuser', bounds)
  suspicion.postpone(500)
  expect(suspicion.deadline).toBe(25_500)
})
