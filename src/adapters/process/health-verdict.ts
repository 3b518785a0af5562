/**
 * What a row of check results means, by Docker's rules: one success is healthy, `retries` failures in a row are unhealthy, and
 * failures in the start period count for nothing as long as no check has succeeded. Pure; damping is not its business.
 */
import type { Millis } from '../../kernel/units.ts'
import type { HealthTiming } from './process-spec.ts'

export interface Verdict {
  readonly health: 'starting' | 'healthy' | 'unhealthy'
  readonly failingStreak: number
}

export const notCheckedYet: Verdict = { health: 'starting', failingStreak: 0 }

export interface CheckResult {
  readonly passed: boolean
  /** How long the process had been running when the check began. */
  readonly ageMs: Millis
}

export function judge(before: Verdict, result: CheckResult, timing: HealthTiming): Verdict {
  if (result.passed) return { health: 'healthy', failingStreak: 0 }
  if (before.health === 'starting' && result.ageMs < timing.startPeriodMs) return before
  const failingStreak = before.failingStreak + 1
  return { health: failingStreak >= timing.retries ? 'unhealthy' : before.health, failingStreak }
}
