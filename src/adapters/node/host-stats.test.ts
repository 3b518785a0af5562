import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { hostStatsReader } from './host-stats.ts'
import { randomNodeId, randomSeed } from './random-seed.ts'

test('the numbers of this machine are plausible', async () => {
  const stats = await hostStatsReader(tmpdir())()
  expect(stats.cpuCount).toBeGreaterThanOrEqual(1)
  expect(stats.memoryFreeBytes).toBeGreaterThan(0)
  expect(stats.memoryFreeBytes).toBeLessThanOrEqual(stats.memoryTotalBytes)
  expect(stats.diskFreeBytes).toBeLessThanOrEqual(stats.diskTotalBytes)
  expect(stats.diskTotalBytes).toBeGreaterThan(0)
  for (const value of Object.values(stats))
    if (typeof value === 'number') expect(Number.isSafeInteger(value)).toBe(true)
})

test('a directory that is not there has no disk, and nothing fails', async () => {
  const { diskTotalBytes, diskFreeBytes } = await hostStatsReader('/nowhere/at/all')()
  expect([diskTotalBytes, diskFreeBytes]).toEqual([0, 0])
})

test('seeds and ids differ', () => {
  expect(new Set(Array.from({ length: 50 }, randomSeed)).size).toBeGreaterThan(45)
  expect(randomNodeId()).toMatch(/^[0-9a-f]{32}$/)
  expect(randomNodeId()).not.toBe(randomNodeId())
})
