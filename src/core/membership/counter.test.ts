import { expect, test } from 'vitest'
import { beyond, isFresher, next } from './counter.ts'

const last = 0xffff_ffff

test('the counter wraps after 32 bits', () => {
  expect(next(0)).toBe(1)
  expect(next(0x7fff_ffff)).toBe(0x8000_0000)
  expect(next(last)).toBe(0)
})

test.each([
  { a: 2, b: 1, fresher: true },
  { a: 1, b: 1, fresher: false },
  { a: 1, b: 2, fresher: false },
  { a: 0, b: last, fresher: true },
  { a: last, b: 0, fresher: false },
  { a: 5, b: last - 5, fresher: true },
  { a: 0x7fff_ffff, b: 0, fresher: true },
  { a: 0x8000_0000, b: 0, fresher: false },
])('$a is fresher than $b: $fresher', ({ a, b, fresher }) => {
  expect(isFresher(a, b)).toBe(fresher)
})

test.each([
  { own: 5, accused: 5, result: 6 },
  { own: 5, accused: 3, result: 6 },
  { own: 5, accused: 9, result: 10 },
  { own: last, accused: last, result: 0 },
  { own: 3, accused: last, result: 4 },
])('an answer to $accused from $own is $result, fresher than both', ({ own, accused, result }) => {
  expect(beyond(own, accused)).toBe(result)
  expect(isFresher(result, own)).toBe(true)
  expect(isFresher(result, accused)).toBe(true)
})
