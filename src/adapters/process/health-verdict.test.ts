import { expect, test } from 'vitest'
import { judge, notCheckedYet } from './health-verdict.ts'
import type { Verdict } from './health-verdict.ts'

const timing = { intervalMs: 1_000, timeoutMs: 500, retries: 3, startPeriodMs: 5_000 }

/** `+` passes, `-` fails; one check a second, the first after one second. */
function after(checks: string, over: Partial<typeof timing> = {}): Verdict {
  return checks
    .split('')
    .reduce<Verdict>(
      (verdict, check, index) =>
        judge(verdict, { passed: check === '+', ageMs: (index + 1) * 1_000 }, { ...timing, ...over }),
      notCheckedYet,
    )
}

test.each([
  { checks: '', health: 'starting', failingStreak: 0, why: 'nobody has looked yet' },
  { checks: '+', health: 'healthy', failingStreak: 0, why: 'one success is enough' },
  { checks: '----', health: 'starting', failingStreak: 0, why: 'failures of the start period count for nothing' },
  { checks: '------', health: 'starting', failingStreak: 2, why: 'after it they count' },
  { checks: '-------', health: 'unhealthy', failingStreak: 3, why: 'three in a row after it' },
  { checks: '+--', health: 'healthy', failingStreak: 2, why: 'two failures are not three' },
  { checks: '+---', health: 'unhealthy', failingStreak: 3, why: 'a success ends the start period' },
  { checks: '+--+--', health: 'healthy', failingStreak: 2, why: 'a success ends the streak' },
  { checks: '+-----', health: 'unhealthy', failingStreak: 5, why: 'the streak goes on' },
  { checks: '+---+', health: 'healthy', failingStreak: 0, why: 'one success heals' },
])('"$checks" is $health with a streak of $failingStreak: $why', ({ checks, health, failingStreak }) => {
  expect(after(checks)).toEqual({ health, failingStreak })
})

test('without a start period the first failure counts', () => {
  expect(after('-', { startPeriodMs: 0, retries: 1 })).toEqual({ health: 'unhealthy', failingStreak: 1 })
})
