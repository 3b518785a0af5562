import { expect, test } from 'vitest'
import { pushPullInterval, retransmitLimit } from './scaling.ts'

test.each([
  [1, 4],
  [2, 4],
  [9, 4],
  [10, 8],
  [99, 8],
  [100, 12],
  [999, 12],
  [1_000, 16],
])('among %i members a broadcast is sent %i times by each', (members, limit) => {
  expect(retransmitLimit(4, members)).toBe(limit)
})

test.each([
  [1, 30],
  [32, 30],
  [33, 60],
  [64, 60],
  [65, 90],
  [128, 90],
  [129, 120],
  [1_000, 180],
])('among %i members whole states are exchanged every %i s', (members, intervalSeconds) => {
  expect(pushPullInterval(30_000, members)).toBe(intervalSeconds * 1_000)
})
