/**
 * Where a change has been on this node, and when: a bounded journal of hops by walk (`shop:web@node-a#8`), marked where the
 * hops are logged. Answers "where did the time go"; nothing is ever decided by it.
 * Invariants: at most `walksMax` walks of at most `hopsMax` hops each, those marked longest ago go first; a mark costs the
 * same however full the journal is.
 */
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import { findWalk } from './walk-name.ts'
import type { WalkLookup } from './walk-name.ts'

/** In the order in which a change passes them; the first three and `sent` on its author, the rest wherever it arrives. */
export const hopNames = [
  'observed',
  'decided',
  'published',
  'sent',
  'received',
  'relayed',
  'viewed',
  'planned',
  'turned',
  'documented',
  'served',
] as const

export type HopName = (typeof hopNames)[number]

export interface Hop {
  readonly hop: HopName
  /** Monotonic, of the node that marked it; comparable within that node only. */
  readonly atMs: Millis
  /** For people; derived when it is asked for, so a clock that was set in between moves it. */
  readonly wallMs: Millis
  readonly detail: string
}

export interface Walk {
  readonly key: string
  /** By time. */
  readonly hops: readonly Hop[]
}

/** The door for those who only mark; arguments are plain data, so that a mark can come from another thread. */
export interface Marks {
  /** `atMs` by the clock of the journal. */
  mark(key: string, hop: HopName, atMs: Millis, detail: string): void
}

/** For those who serve what was planned, as one, for all walks at once. */
export interface BatchMarks extends Marks {
  /** A step that takes in everything before it: marks each walk that waits for it. */
  markWaiting(hop: WaitedHop, atMs: Millis, detail: string): void
}

export interface Journal extends BatchMarks {
  /** By whole key, or without revision (the newest), or by a name that only one project has. */
  find(text: string): WalkLookup<Walk>
}

type WaitedHop = 'turned' | 'documented' | 'served'

/** What follows a hop for whole batches of walks at once. */
const nextInBatches: Readonly<Partial<Record<HopName, readonly WaitedHop[]>>> = {
  planned: ['turned', 'documented'],
  documented: ['served'],
}

export const walksMax = 500
export const hopsMax = 24

interface Mark {
  readonly hop: HopName
  readonly atMs: Millis
  readonly detail: string
}

interface Entry {
  /** Rises with every walk that begins. */
  readonly number: number
  readonly marks: Mark[]
}

export const noMarks: BatchMarks = { mark: () => undefined, markWaiting: () => undefined }

export function createJournal(clock: Pick<Clock, 'now' | 'wallNow'>): Journal {
  /** Walks marked last come last. */
  const walks = new Map<string, Entry>()
  let begun = 0
  const waiting: Readonly<Record<WaitedHop, Set<string>>> = {
    turned: new Set(),
    documented: new Set(),
    served: new Set(),
  }

  function mark(key: string, hop: HopName, atMs: Millis, detail: string): void {
    const known = walks.get(key)
    const entry = known === undefined || beginsAnew(known.marks, hop) ? { number: ++begun, marks: [] } : known
    if (entry.marks.length < hopsMax) entry.marks.push({ hop, atMs, detail })
    walks.delete(key)
    walks.set(key, entry)
    if (walks.size > walksMax) dropOldest()
    for (const next of nextInBatches[hop] ?? []) waiting[next].add(key)
  }

  function dropOldest(): void {
    const [oldest = ''] = walks.keys()
    walks.delete(oldest)
    for (const keys of Object.values(waiting)) keys.delete(oldest)
  }

  function toHop({ hop, atMs, detail }: Mark): Hop {
    return { hop, atMs, wallMs: clock.wallNow() - (clock.now() - atMs), detail }
  }

  return {
    mark,
    markWaiting(hop, atMs, detail) {
      const keys = [...waiting[hop]]
      waiting[hop].clear()
      for (const key of keys) mark(key, hop, atMs, detail)
    },
    find(text) {
      const newestFirst = [...walks].sort(([, a], [, b]) => b.number - a.number).map(([key]) => key)
      const found = findWalk(text, newestFirst)
      if (found.kind !== 'found') return found
      const hops = (walks.get(found.walk)?.marks ?? []).map(toHop)
      return { kind: 'found', walk: { key: found.walk, hops: hops.sort(byTime) } }
    },
  }
}

/** A revision is published and received once; the second time it is another one, of the agent's next run. */
function beginsAnew(known: readonly Mark[], hop: HopName): boolean {
  return (hop === 'published' || hop === 'received') && known.some(other => other.hop === hop)
}

/** Hops of one moment in the order in which a change passes them. */
function byTime(a: Hop, b: Hop): number {
  return a.atMs - b.atMs || hopNames.indexOf(a.hop) - hopNames.indexOf(b.hop)
}
