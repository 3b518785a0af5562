/**
 * Restarts asked for by label. A container whose check fails and that carries the label is restarted, ever more slowly,
 * and left alone when that does not help. Pure: a history per container; the decision is `restartAdvice`.
 * Must not: restart anything without the label, anything stopped, or anything because of old news (health.ts sees to
 * the last). Memory only: a restarted agent starts counting anew.
 */
import type { Millis } from '../../kernel/units.ts'

const firstBackOffMs: Millis = 10_000
const longestBackOffMs: Millis = 300_000
/** This many restarts within `countedForMs` and it still fails: restarting is not the cure. */
export const restartsMax = 5
const countedForMs: Millis = 3_600_000
/** Healthy for this long: the cure worked, everything is forgotten. */
export const curedAfterMs: Millis = 600_000

export interface RestartHistory {
  /** When each restart ended, oldest first. */
  readonly ended: readonly Millis[]
  /** One is under way. */
  readonly running: boolean
  readonly givenUp: boolean
  readonly healthySince?: Millis
}

export const neverRestarted: RestartHistory = { ended: [], running: false, givenUp: false }

/** Told with every fact about the container. */
export function afterHealth(history: RestartHistory, healthy: boolean, now: Millis): RestartHistory {
  const { healthySince, ...rest } = history
  if (!healthy) return isCured(history, now) ? neverRestarted : rest
  if (healthySince === undefined) return { ...rest, healthySince: now }
  return isCured(history, now) ? { ...neverRestarted, healthySince } : history
}

function isCured(history: RestartHistory, now: Millis): boolean {
  return !history.running && history.healthySince !== undefined && now - history.healthySince >= curedAfterMs
}

export function afterStarting(history: RestartHistory): RestartHistory {
  return { ...history, running: true }
}

/**
 * A restart that failed counts like one that did not help, and so does one of a container that is said to be gone: an
 * engine that lists what it cannot find is not to be hammered either.
 */
export function afterEnding(history: RestartHistory, now: Millis): RestartHistory {
  return { ...history, running: false, ended: [...history.ended, now].slice(-restartsMax) }
}

export type RestartAdvice =
  { readonly kind: 'now' } | { readonly kind: 'giveUp' } | { readonly kind: 'wait'; readonly until?: Millis }

/** For a labelled container whose check fails. */
export function restartAdvice(history: RestartHistory, now: Millis): RestartAdvice {
  if (history.running || history.givenUp) return { kind: 'wait' }
  const counted = history.ended.filter(at => now - at < countedForMs)
  const last = counted.at(-1)
  if (last === undefined) return { kind: 'now' }
  if (counted.length >= restartsMax) return { kind: 'giveUp' }
  const until = last + Math.min(longestBackOffMs, firstBackOffMs * 2 ** (counted.length - 1))
  return now < until ? { kind: 'wait', until } : { kind: 'now' }
}

/** An agent that does only this job. Two restarters would double every restart, so ours stands down beside it. */
export function isRestarter(image: string): boolean {
  return image.toLowerCase().includes('deunhealth')
}
