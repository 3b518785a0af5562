import { expect, test, vi } from 'vitest'
import { nodeClock } from './clock.ts'

test('it shows the time of hrtime, which is one for all threads, and not that of performance, which each has its own', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    vi.advanceTimersByTime(1_000)
    const before = Number(process.hrtime.bigint()) / 1e6
    const now = nodeClock.now()
    const after = Number(process.hrtime.bigint()) / 1e6
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(after)
  } finally {
    vi.useRealTimers()
  }
})

test('a deadline is never met early', async () => {
  const early: number[] = []
  for (const delayMs of [0.4, 1.2, 3.7, 8.1]) {
    const deadline = nodeClock.now() + delayMs
    await new Promise<void>(resolve => void nodeClock.at(deadline, resolve))
    early.push(Math.max(0, deadline - nodeClock.now()))
  }
  expect(early).toEqual([0, 0, 0, 0])
})

test('a disarmed deadline never fires, and disarming twice is harmless', async () => {
  const run = vi.fn<() => void>()
  const disarm = nodeClock.at(nodeClock.now() + 1, run)
  disarm()
  disarm()
  await new Promise<void>(resolve => void nodeClock.at(nodeClock.now() + 5, resolve))
  expect(run).not.toHaveBeenCalled()
})

test('a deadline beyond what a Node timer can hold waits instead of firing at once', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] })
  try {
    const run = vi.fn<() => void>()
    const fortyDaysMs = 40 * 24 * 3_600_000
    nodeClock.at(nodeClock.now() + fortyDaysMs, run)
    vi.advanceTimersByTime(fortyDaysMs - 1)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(run).toHaveBeenCalledOnce()
  } finally {
    vi.useRealTimers()
  }
})
