/**
 * One container as the health machine remembers it, and what is told about it. Pure: a memory goes in with a fact or a
 * moment, a memory comes out. Invariant: what takes traffic away is told at once; everything else at most once a second,
 * so that a container that flaps a hundred times a second costs the cluster a message or two.
 */
import type { Millis } from '../../kernel/units.ts'
import type { LabelReading } from '../labels/index.ts'
import type { Instance } from '../registry/index.ts'
import type { ContainerFact } from './container-fact.ts'
import { afterSight, describeHold, firstSight, holdAt } from './flap.ts'
import type { FlapHistory } from './flap.ts'
import { findingOf, instanceOf, toldFailures } from './observe.ts'
import type { Finding } from './observe.ts'
import { afterHealth, neverRestarted } from './restart.ts'
import type { RestartHistory } from './restart.ts'

export interface Tracked {
  readonly fact: ContainerFact
  readonly labels: LabelReading
  /** Undamped. */
  readonly finding: Finding
  readonly seenAt: Millis
  readonly flaps: FlapHistory
  readonly restarts: RestartHistory
  readonly told?: Told
  /** A change waits for its turn until then. */
  readonly tellAt?: Millis
}

interface Told {
  readonly instance: Instance
  /** The same as JSON: what is compared. */
  readonly text: string
  readonly at: Millis
}

const betweenTellingsMs: Millis = 1_000
/** Engines round start times differently in different answers; nothing starts twice within this. */
const startToleranceMs: Millis = 1_000

export function afterFact(known: Tracked | undefined, fact: ContainerFact, labels: LabelReading, now: Millis): Tracked {
  const finding = findingOf(fact)
  const up = finding.state === 'healthy'
  const flaps = known === undefined ? firstSight(up) : afterSight(flapsSeen(known, fact, up, now), up, now)
  const restarts = afterHealth(known?.restarts ?? neverRestarted, up, now)
  return { ...known, fact, labels, finding, seenAt: now, flaps, restarts }
}

/** Up before and up now, but started anew in between: it went down while we were not looking. */
function flapsSeen(known: Tracked, fact: ContainerFact, up: boolean, now: Millis): FlapHistory {
  const [before, after] = [known.fact.startedAtWallMs, fact.startedAtWallMs]
  const startedAnew = before !== undefined && after !== undefined && after - before > startToleranceMs
  return startedAnew && up && known.flaps.up ? afterSight(known.flaps, false, now) : known.flaps
}

/** The finding after damping. */
export function dampedFinding(tracked: Tracked, now: Millis): Finding {
  const hold = tracked.finding.state === 'healthy' ? holdAt(tracked.flaps, now) : undefined
  return hold === undefined ? tracked.finding : { state: 'unhealthy', reason: describeHold(hold) }
}

export interface Telling {
  readonly tracked: Tracked
  /** What to tell the cluster now; absent when it knows already or has to wait. */
  readonly instance?: Instance
}

export function tell(tracked: Tracked, now: Millis, wallNow: Millis): Telling {
  const { told, tellAt: _, ...rest } = tracked
  const instance = currentInstance(tracked, now, wallNow)
  const text = JSON.stringify(instance)
  if (told === undefined) return { tracked: { ...rest, told: { instance, text, at: now } }, instance }
  if (text === told.text) return { tracked: { ...rest, told } }
  const losesTraffic = told.instance.state === 'healthy' && instance.state !== 'healthy'
  const turn = told.at + betweenTellingsMs
  if (!losesTraffic && now < turn) return { tracked: { ...rest, told, tellAt: turn } }
  return { tracked: { ...rest, told: { instance, text, at: now } }, instance }
}

function currentInstance(tracked: Tracked, now: Millis, wallNow: Millis): Instance {
  const { fact, labels, restarts } = tracked
  const told = tracked.told?.instance
  const finding = dampedFinding(tracked, now)
  return instanceOf(fact, labels, {
    finding,
    sinceWallMs: told?.state === finding.state ? told.sinceWallMs : sinceWhen(tracked, wallNow),
    consecutiveFailures: toldFailures(finding.state, fact.failingStreak, told),
    restartGivenUp: restarts.givenUp,
  })
}

/** A running container we have just met has been so since it started, as far as anybody can tell. */
function sinceWhen({ told, fact }: Tracked, wallNow: Millis): number {
  return told === undefined && fact.state === 'running' ? (fact.startedAtWallMs ?? wallNow) : wallNow
}

/** When something about it changes by itself. */
export function deadlineOf(tracked: Tracked, now: Millis): Millis | undefined {
  const hold = tracked.finding.state === 'healthy' ? holdAt(tracked.flaps, now) : undefined
  return earliest([hold?.until, tracked.tellAt])
}

export function earliest(moments: readonly (Millis | undefined)[]): Millis | undefined {
  const known = moments.filter(moment => moment !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
