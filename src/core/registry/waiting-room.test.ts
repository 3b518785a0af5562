import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { createWaitingRoom } from './waiting-room.ts'

const [a, b] = [nodeName('a'), nodeName('b')]
const news = (first: number, sizeBytes = 1): Uint8Array => new Uint8Array(sizeBytes).fill(first)

test('what waits is handed out once, in order, to its owner only', () => {
  const room = createWaitingRoom()
  for (const [owner, first] of [
    [a, 1],
    [b, 2],
    [a, 3],
  ] as const)
    expect(room.add(owner, news(first), 0)).toBe(0)
  expect(room.take(a, 5)).toEqual([news(1), news(3)])
  expect(room.take(a, 5)).toEqual([])
  expect(room.take(b, 5)).toEqual([news(2)])
})

test('nothing waits longer than ten seconds', () => {
  const room = createWaitingRoom()
  room.add(a, news(1), 0)
  room.add(b, news(2), 9_000)
  expect(room.add(b, news(3), 10_000)).toBe(1)
  expect([room.take(a, 10_000), room.take(b, 10_000)]).toEqual([[], [news(2), news(3)]])
})

test('the oldest make room, by number and by size', () => {
  const many = createWaitingRoom()
  let dropped = 0
  for (let i = 0; i < 300; i++) dropped += many.add(a, news(i % 256), i)
  expect(dropped).toBe(300 - 256)
  expect(many.take(a, 300)[0]).toEqual(news(44))

  const large = createWaitingRoom()
  const mebibyte = 1_024 * 1_024
  expect([1, 2, 3, 4, 5].map(first => large.add(a, news(first, mebibyte), 0))).toEqual([0, 0, 0, 0, 1])
  expect(large.take(a, 0).map(bytes => bytes[0])).toEqual([2, 3, 4, 5])
})
