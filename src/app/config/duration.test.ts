import { assert, nat, property } from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

test.each([
  ['30s', 30_000],
  ['1m30s', 90_000],
  ['200ms', 200],
  ['1.5h', 5_400_000],
  ['0s', 0],
  [' 5s ', 5_000],
  ['250', 250],
  [250, 250],
  [0, 0],
])('%j is %d ms', (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs)
})

test.each([
  ['30 s'],
  ['30sec'],
  ['s'],
  [''],
  ['-5s'],
  [-5],
  [1.5],
  [Number.NaN],
  ['1e3'],
  [null],
  [true],
  ['99999999999999h'],
])('%j is no duration', value => {
  expect(parseDuration(value)).toBeUndefined()
})

test('what is shown reads back as the same duration', () => {
  assert(
    property(nat(1_000_000_000), durationMs => {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs)
    }),
  )
  expect(formatDuration(90_000)).toBe('1m30s')
})
