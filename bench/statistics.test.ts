import { expect, test } from 'vitest'
import { mean, median, percentile, summarise } from './statistics.ts'

test.each([
  [[3], 3],
  [[9, 1], 5],
  [[9, 1, 2], 2],
  [[10, 9, 1, 2], 5.5],
])('the median of %j is %f', (values, expected) => {
  expect(median(values)).toBe(expected)
})

test.each([
  [0, 1],
  [0.01, 1],
  [0.1, 1],
  [0.11, 2],
  [0.5, 5],
  [0.9, 9],
  [0.91, 10],
  [0.99, 10],
  [1, 10],
])('of 1 to 10 the share %f does not exceed %f', (share, expected) => {
  expect(percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share)).toBe(expected)
})

test('percentiles go by value, not by text', () => {
  expect(percentile([100, 20, 3], 1)).toBe(100)
})

test('a series is left as it was', () => {
  const values = [3, 1, 2]
  summarise(values)
  expect(values).toEqual([3, 1, 2])
})

test('nothing measured has no figures', () => {
  expect(median([])).toBeNaN()
  expect(mean([])).toBeNaN()
  expect(percentile([], 0.9)).toBeNaN()
})

test('a summary rounds its figures and counts the runs', () => {
  expect(summarise([1, 2, 4], 1)).toEqual({ runs: 3, mean: 2.3, median: 2, p90: 4, p99: 4, min: 1, max: 4 })
})
