import { expect, test } from 'vitest'
import { createBroadcasts } from './broadcasts.ts'
import type { Broadcasts } from './broadcasts.ts'

const many = 255

test('what was told least often leaves first, then the longest, then the newest', () => {
  const queue = queueOf(['old:5', 'long:9', 'new:5'])
  expect(take(queue, 1_000, { most: 1 })).toEqual(['long'])
  expect(take(queue, 1_000, { most: 2 })).toEqual(['new', 'old'])
  queue.queue('late', message('late', 5))
  expect(take(queue, 1_000)).toEqual(['late', 'long', 'new', 'old'])
})

test('a packet is filled greedily: what does not fit is passed over, not waited for', () => {
  const queue = queueOf(['large:60', 'medium:50', 'small:10'])
  expect(take(queue, 75)).toEqual(['large', 'small'])
  expect(take(queue, 75)).toEqual(['medium', 'small'])
})

test('the overhead per message counts against the room', () => {
  const queue = queueOf(['a:10', 'b:10'])
  expect(take(queue, 23, { perMessage: 2 })).toEqual(['b'])
  expect(take(queue, 24, { perMessage: 2 })).toEqual(['a', 'b'])
})

test('every message leaves exactly as often as the limit says', () => {
  const queue = queueOf(['a:10', 'b:10', 'c:10'])
  const taken = Array.from({ length: 20 }, () => take(queue, 20, { limit: 4 })).flat()
  for (const name of ['a', 'b', 'c']) expect(taken.filter(other => other === name)).toHaveLength(4)
  expect(queue.length).toBe(0)
})

test('a later broadcast of a name replaces the earlier one and starts from nothing told', () => {
  const queue = queueOf(['a:10', 'b:10'])
  take(queue, 100, { limit: 4 })
  queue.queue('a', message('A', 10))
  expect(queue.length).toBe(2)
  expect(take(queue, 100, { most: 1, limit: 4 })).toEqual(['A'])
  const rest = Array.from({ length: 20 }, () => take(queue, 100, { limit: 4 })).flat()
  expect(rest.filter(name => name === 'A')).toHaveLength(3)
  expect(rest.filter(name => name === 'a')).toHaveLength(0)
})

test('a name is queued until its message was told to the limit', () => {
  const queue = queueOf(['a:10'])
  expect(queue.has('a')).toBe(true)
  take(queue, 100, { limit: 2 })
  expect(queue.has('a')).toBe(true)
  take(queue, 100, { limit: 2 })
  expect(queue.has('a')).toBe(false)
})

test('beyond its limit the queue drops what was told most often', () => {
  const queue = createBroadcasts(2)
  queue.queue('a', message('a', 10))
  take(queue, 100)
  queue.queue('b', message('b', 10))
  queue.queue('c', message('c', 10))
  expect(queue.length).toBe(2)
  expect(queue.dropped).toBe(1)
  expect(take(queue, 100)).toEqual(['c', 'b'])
})

test('what is withdrawn leaves no more, told or not; its name may be used again', () => {
  const queue = queueOf(['a:10', 'b:10', 'c:10'])
  expect(take(queue, 100, { most: 1 })).toEqual(['c'])
  for (const name of ['c', 'b', 'unknown']) queue.withdraw(name)
  expect(queue.length).toBe(1)
  expect(take(queue, 100)).toEqual(['a'])
  queue.queue('b', message('B', 10))
  expect(take(queue, 100)).toEqual(['B', 'a'])
})

/** `name:size` each, queued in this order. */
function queueOf(items: readonly string[]): Broadcasts {
  const queue = createBroadcasts(100)
  for (const item of items) {
    const [name = '', size] = item.split(':')
    queue.queue(name, message(name, Number(size)))
  }
  return queue
}

function message(name: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  bytes.set(new TextEncoder().encode(name))
  return bytes
}

function take(
  queue: Broadcasts,
  room: number,
  { perMessage = 0, limit = 10, most = many }: { perMessage?: number; limit?: number; most?: number } = {},
): string[] {
  const messages = queue.take(room, perMessage, limit, most)
  return messages.map(bytes => new TextDecoder().decode(bytes).replaceAll('\0', ''))
}
