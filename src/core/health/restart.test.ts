import { expect, test } from 'vitest'
import {
  afterEnding,
  afterHealth,
  afterStarting,
  curedAfterMs,
  isRestarter,
  neverRestarted,
  restartAdvice,
} from './restart.ts'
import type { RestartHistory } from './restart.ts'

function endedAt(...moments: readonly number[]): RestartHistory {
  return { ...neverRestarted, ended: moments }
}

test.each([
  ['never restarted: at once', endedAt(), 0, { kind: 'now' }],
  ['10 s after the first', endedAt(0), 9_999, { kind: 'wait', until: 10_000 }],
  ['10 s after the first are over', endedAt(0), 10_000, { kind: 'now' }],
  ['20 s after the second', endedAt(0, 10_000), 29_999, { kind: 'wait', until: 30_000 }],
  ['40 s after the third', endedAt(0, 10_000, 30_000), 30_001, { kind: 'wait', until: 70_000 }],
  ['80 s after the fourth', endedAt(0, 1, 2, 3), 4, { kind: 'wait', until: 80_003 }],
  ['five within an hour: no more', endedAt(0, 1, 2, 3, 4), 400_000, { kind: 'giveUp' }],
  ['the oldest of five is an hour ago: four count', endedAt(0, 1, 2, 3, 4), 3_600_000, { kind: 'now' }],
] as const)('%s', (_, history, now, advice) => {
  expect(restartAdvice(history, now)).toEqual(advice)
})

test('nothing is restarted twice at the same time, nor after it was given up', () => {
  expect(restartAdvice(afterStarting(neverRestarted), 0)).toEqual({ kind: 'wait' })
  expect(restartAdvice({ ...neverRestarted, givenUp: true }, 0)).toEqual({ kind: 'wait' })
})

test('a restart that ended counts, whatever its outcome', () => {
  expect(afterEnding(afterStarting(endedAt(1)), 5)).toEqual(endedAt(1, 5))
})

test('ten minutes of health forget everything, a second less forgets nothing', () => {
  const tried: RestartHistory = { ...endedAt(0, 1, 2, 3, 4), givenUp: true }
  const healthy = afterHealth(tried, true, 1_000)
  const almost = afterHealth(healthy, false, 1_000 + curedAfterMs - 1)
  expect(almost).toEqual(tried)
  expect(afterHealth(healthy, false, 1_000 + curedAfterMs)).toEqual(neverRestarted)
  expect(afterHealth(healthy, true, 1_000 + curedAfterMs)).toEqual({ ...neverRestarted, healthySince: 1_000 })
})

test.each([
  ['qmcgaw/deunhealth:latest', true],
  ['ghcr.io/qdm12/deunhealth@sha256:00', true],
  ['Registry.local/DeUnhealth', true],
  ['web:1', false],
  ['', false],
])('image %j is a restarter: %s', (image, expected) => {
  expect(isRestarter(image)).toBe(expected)
})
