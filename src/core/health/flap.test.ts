import { expect, test } from 'vitest'
import { afterSight, describeHold, firstSight, flapsRemembered, flapWindowMs, holdAfter, holdAt } from './flap.ts'
import type { FlapHistory } from './flap.ts'

/** Goes down and comes back `times` times, `everyMs` apart; answers the history and the moment of the last recovery. */
function flapping(times: number, everyMs: number): { history: FlapHistory; now: number } {
  let history = firstSight(true)
  let now = 0
  for (let i = 0; i < times; i++) {
    now += everyMs
    history = afterSight(history, false, now)
    now += everyMs
    history = afterSight(history, true, now)
  }
  return { history, now }
}

test.each([
  [0, 0],
  [1, 0],
  [2, 2_000],
  [3, 4_000],
  [4, 8_000],
  [5, 16_000],
  [6, 32_000],
  [7, 60_000],
  [100, 60_000],
])('after %i flaps a recovery is held back for %i ms', (flaps, holdMs) => {
  expect(holdAfter(flaps)).toBe(holdMs)
})

test('the first recovery passes at once', () => {
  const { history, now } = flapping(1, 1_000)
  expect(holdAt(history, now)).toBeUndefined()
})

test('the third flap within the window holds the recovery for four seconds, to the millisecond', () => {
  const { history, now } = flapping(3, 1_000)
  expect(holdAt(history, now + 3_999)).toMatchObject({ holdMs: 4_000, flaps: 3 })
  expect(holdAt(history, now + 4_000)).toBeUndefined()
})

test('flaps further apart than the window are forgiven', () => {
  const { history, now } = flapping(20, flapWindowMs)
  expect(holdAt(history, now)).toBeUndefined()
})

test('a container first seen running is believed, and so is its first start', () => {
  expect(holdAt(firstSight(true), 0)).toBeUndefined()
  expect(holdAt(afterSight(firstSight(false), true, 5), 5)).toBeUndefined()
})

test('going down during a hold ends the hold and counts as a flap', () => {
  const { history, now } = flapping(2, 1_000)
  const down = afterSight(history, false, now + 500)
  expect(holdAt(down, now + 500)).toBeUndefined()
  expect(holdAt(afterSight(down, true, now + 600), now + 600)).toMatchObject({ flaps: 3, holdMs: 4_000 })
})

test('seeing the same thing again changes nothing', () => {
  const { history, now } = flapping(4, 10)
  expect(afterSight(history, true, now + 100)).toBe(history)
})

test('ten thousand flaps are remembered as a handful, and the words stay the same', () => {
  const { history, now } = flapping(10_000, 5)
  expect(history.downs.length).toBe(flapsRemembered)
  const hold = holdAt(history, now)
  expect(hold && describeHold(hold)).toBe('recovered, held back for 60 s after 7 or more flaps')
})
