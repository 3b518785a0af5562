/**
 * Fast down, slow up. A container that fails loses its traffic at once; one that keeps failing and recovering gets it
 * back later each time. Pure: a history goes in with what was seen, a history comes out.
 * Invariant: a history belongs to one container id, so a recreated container starts with a clean one.
 */
import type { Millis } from '../../kernel/units.ts'

/** Flaps older than this are forgiven. */
export const flapWindowMs: Millis = 600_000
/** Hold after the second flap; the first recovery passes at once, because most restarts are somebody's deploy. */
const firstHoldMs: Millis = 2_000
/** Long enough that a crash loop (the engine itself waits up to a minute) never looks usable, short enough to wait for. */
const longestHoldMs: Millis = 60_000
/** The count at which the hold has reached its longest; remembering more flaps would change nothing. */
export const flapsRemembered = 7

export interface FlapHistory {
  /** What the engine says now, without damping. */
  readonly up: boolean
  /** When it went down, oldest first, at most `flapsRemembered`. */
  readonly downs: readonly Millis[]
  /** Set on a recovery that came after too many flaps. */
  readonly hold?: Hold
}

export interface Hold {
  readonly until: Millis
  readonly holdMs: Millis
  /** Flaps within the window when the hold began. */
  readonly flaps: number
}

/** A container seen for the first time is believed: what it did before we looked is not held against it. */
export function firstSight(up: boolean): FlapHistory {
  return { up, downs: [] }
}

export function afterSight(history: FlapHistory, up: boolean, now: Millis): FlapHistory {
  if (up === history.up) return history
  if (!up) return { up, downs: [...recent(history.downs, now), now].slice(-flapsRemembered) }
  const downs = recent(history.downs, now)
  const holdMs = holdAfter(downs.length)
  return holdMs === 0 ? { up, downs } : { up, downs, hold: { until: now + holdMs, holdMs, flaps: downs.length } }
}

/** The hold in force at `now`, if any. */
export function holdAt(history: FlapHistory, now: Millis): Hold | undefined {
  return history.hold !== undefined && now < history.hold.until ? history.hold : undefined
}

/** 0, 0, 2 s, 4 s, 8 s, ... 60 s for 0, 1, 2, 3, 4, ... flaps within the window. */
export function holdAfter(flaps: number): Millis {
  return flaps < 2 ? 0 : Math.min(longestHoldMs, firstHoldMs * 2 ** (flaps - 2))
}

export function describeHold(hold: Hold): string {
  const flaps = hold.flaps < flapsRemembered ? String(hold.flaps) : `${flapsRemembered} or more`
  return `recovered, held back for ${hold.holdMs / 1_000} s after ${flaps} flaps`
}

function recent(downs: readonly Millis[], now: Millis): readonly Millis[] {
  return downs.filter(at => now - at < flapWindowMs)
}
