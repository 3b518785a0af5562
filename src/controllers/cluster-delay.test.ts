import { expect, test } from 'vitest'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { delayFloorMs, reportDelay } from './cluster-delay.ts'

test('a delay is told once a second and only when it is one', () => {
  const clock = new VirtualClock()
  const delays = [0, delayFloorMs - 1, delayFloorMs, 300, 0]
  const told: string[] = []
  const stop = reportDelay(
    clock,
    () => delays.shift() ?? 0,
    delayMs => told.push(`${clock.now()}: ${delayMs}`),
  )
  clock.advance(10_000)
  expect(told).toEqual(['3000: 50', '4000: 300'])
  stop()
  expect(clock.pendingTimers).toBe(0)
})
