import { expect, test } from 'vitest'
import { createNameBudget } from './name-budget.ts'

test('as many names as it holds at once, then as many as time gives back', () => {
  const budget = createNameBudget(10_000)
  const takenAt = (now: number, tries: number): number =>
    Array.from({ length: tries }, () => budget.take(now, () => 64)).filter(Boolean).length
  expect(takenAt(5_000, 100)).toBe(64)
  expect(takenAt(5_100, 100)).toBe(0)
  expect(takenAt(6_000, 100)).toBe(6)
  expect(takenAt(100_000, 100)).toBe(64)
})

test('a larger cluster gets a larger budget, and a shrunken one loses what it saved', () => {
  const budget = createNameBudget(10_000)
  expect(budget.take(0, () => 64)).toBe(true)
  const tries = (now: number, capacity: number): number =>
    Array.from({ length: 1_000 }, () => budget.take(now, () => capacity)).filter(Boolean).length
  expect(tries(10_000, 200)).toBe(200)
  expect(tries(30_000, 10)).toBe(10)
})
