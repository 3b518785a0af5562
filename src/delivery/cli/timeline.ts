/**
 * One timeline out of what several agents say about one walk. Their monotonic clocks have nothing in common, so each is
 * compared with ours: an answer was given somewhere between question and reply, so its clock is known to within half the
 * round trip, and the quickest of several answers knows it best. Wall clocks decide nothing here.
 */
import type { z } from 'zod'
import type { Millis } from '../../kernel/units.ts'
import type { trace as traceSchema } from '../rest/schema.ts'

export type Trace = z.output<typeof traceSchema>

/** One answer with our own monotonic time before and after it. */
export interface Sample {
  readonly askedAtMs: Millis
  readonly answeredAtMs: Millis
  /** Our wall clock when it was answered. */
  readonly wallMs: Millis
  readonly trace: Trace
}

export interface ClockEstimate {
  /** Its monotonic clock minus ours. */
  readonly offsetMs: Millis
  /** The offset may be wrong by this much, either way. */
  readonly uncertaintyMs: Millis
  /** Its wall clock minus ours, as uncertain; for people. */
  readonly wallAheadMs: Millis
}

export interface Entry {
  readonly node: string
  readonly hop: Trace['hops'][number]['hop']
  readonly detail: string
  /** By the wall clock of its node. */
  readonly wallMs: Millis
  /** Since the first hop of the walk. */
  readonly sinceFirstMs: Millis
  readonly sincePreviousMs: Millis
  /** The longest wait of the way ended here. */
  readonly slowest: boolean
}

export interface Timeline {
  readonly key: string
  readonly entries: readonly Entry[]
  /** From the first hop to the last `served`, or to the last hop while nothing was served. */
  readonly totalMs: Millis
  readonly last: Entry
  readonly clocks: readonly (ClockEstimate & { readonly node: string })[]
}

export function estimateClock(samples: readonly [Sample, ...Sample[]]): ClockEstimate {
  const best = samples.reduce((a, b) => (roundTrip(b) < roundTrip(a) ? b : a))
  const half = roundTrip(best) / 2
  return {
    offsetMs: best.trace.nowMs - (best.askedAtMs + half),
    uncertaintyMs: half,
    wallAheadMs: best.trace.wallNowMs - (best.wallMs - half),
  }
}

function roundTrip({ askedAtMs, answeredAtMs }: Sample): Millis {
  return answeredAtMs - askedAtMs
}

interface Read {
  readonly trace: Trace
  readonly clock: ClockEstimate
}

/** Undefined when there is not a single hop. */
export function timelineOf(reads: readonly Read[]): Timeline | undefined {
  const published = publishedAt(reads)
  const hops = reads
    .flatMap(read => {
      const shift = causalShift(read, published)
      return read.trace.hops.map(hop => ({ node: read.trace.node, hop, atMs: ours(read, hop) + shift }))
    })
    .sort((a, b) => a.atMs - b.atMs)
  const [first] = hops
  if (first === undefined) return undefined
  const steps = hops.map(({ atMs }, i) => atMs - (hops[i - 1]?.atMs ?? atMs))
  const slowest = Math.max(...steps)
  const entries = hops.map(({ node, hop, atMs }, i): Entry => {
    const { hop: name, detail, wallMs } = hop
    const sincePreviousMs = steps[i] ?? 0
    const isSlowest = slowest > 0 && i === steps.indexOf(slowest)
    return { node, hop: name, detail, wallMs, sinceFirstMs: atMs - first.atMs, sincePreviousMs, slowest: isSlowest }
  })
  const last = entries.findLast(({ hop }) => hop === 'served') ?? entries.at(-1)
  if (last === undefined) return undefined
  const clocks = reads.map(({ trace, clock }) => ({ node: trace.node, ...clock }))
  return { key: reads[0]?.trace.key ?? '', entries, totalMs: last.sinceFirstMs, last, clocks }
}

function ours({ clock }: Read, hop: Trace['hops'][number]): Millis {
  return hop.atMs - clock.offsetMs
}

interface Publication {
  readonly atMs: Millis
  readonly uncertaintyMs: Millis
}

function publishedAt(reads: readonly Read[]): Publication | undefined {
  for (const read of reads) {
    const hop = read.trace.hops.find(({ hop }) => hop === 'published')
    if (hop !== undefined) return { atMs: ours(read, hop), uncertaintyMs: read.clock.uncertaintyMs }
  }
  return undefined
}

/** Nothing is received before it was published: as far as the clocks may be wrong, they are taken to be. */
function causalShift(read: Read, published: Publication | undefined): Millis {
  const received = read.trace.hops.find(({ hop }) => hop === 'received')
  if (published === undefined || received === undefined) return 0
  const tooEarlyMs = published.atMs - ours(read, received)
  return Math.min(Math.max(0, tooEarlyMs), published.uncertaintyMs + read.clock.uncertaintyMs)
}
