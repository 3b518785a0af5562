import { expect, test } from 'vitest'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { nodeClock } from './clock.ts'
import { punctualClock } from './punctual-clock.ts'

function passed(delays: readonly number[]): number {
  const time = new VirtualClock()
  // Serves every timer late by what its test says.
  const late = delays.map(delayMs => ({ at: (run: () => void) => time.at(time.now() + 10 + delayMs, run) }))
  const turn = late.values()
  const { clock, takeDelay } = punctualClock({
    now: () => time.now(),
    wallNow: () => time.wallNow(),
    at: (_deadline, run) => turn.next().value?.at(run) ?? (() => undefined),
  })
  for (const _delay of delays) clock.at(time.now() + 10, () => undefined)
  time.advance(10_000)
  return takeDelay()
}

test.each([
  { name: 'no timer fell due', delays: [], delayMs: 0 },
  { name: 'all were served in time', delays: [0, 0, 0], delayMs: 0 },
  { name: 'of a few the latest counts', delays: [0, 300, 2], delayMs: 300 },
  { name: 'of two hundred the two latest do not', delays: [...Array<number>(198).fill(1), 400, 500], delayMs: 1 },
])('$name: $delayMs ms', ({ delays, delayMs }) => {
  expect(passed(delays)).toBe(delayMs)
})

test('what was taken is forgotten, and a deadline of the past was not missed by us', () => {
  const time = new VirtualClock(1_000)
  const { clock, takeDelay } = punctualClock(time)
  clock.at(0, () => undefined)
  time.advance(1)
  expect(takeDelay()).toBe(0)
  expect(takeDelay()).toBe(0)
})

test('a thread that was blocked finds its timers late', async () => {
  const { clock, takeDelay } = punctualClock(nodeClock)
  const fired = new Promise<void>(resolve => void clock.at(clock.now() + 5, resolve))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 80)
  await fired
  expect(takeDelay()).toBeGreaterThanOrEqual(70)
})
