/** One process changes a record of its own: how long until all others hold it. One clock for all, the machine's own. */
import type { Prng } from '../../src/kernel/prng.ts'
import { median, percentile, rounded } from '../statistics.ts'
import { allSeeAll, sleep, until } from './fleet.ts'
import type { Seat } from './fleet.ts'
import { startOurs } from './our-peer.ts'
import type { OurPeer } from './our-peer.ts'

export interface HealthChangeFigures {
  readonly nodes: number
  readonly changes: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const startMsMax = 60_000
/** A change that gossip lost comes with the next push/pull. */
const changeMsMax = 60_000
/** Between changes: at any moment of the gossip rounds. */
const pauseMsMin = 200
const pauseMsRange = 600

export async function measureHealthChanges(
  seats: readonly Seat[],
  changes: number,
  prng: Prng,
): Promise<HealthChangeFigures> {
  let publishedAt: number | undefined
  const heardAt = new Map<string, number>()
  const peers: OurPeer[] = seats.map((seat, i) =>
    startOurs(seat, seats.slice(0, i), line => {
      if (line.kind === 'published') publishedAt = line.atMs
      else if (line.kind === 'section') heardAt.set(seat.name, line.atMs)
    }),
  )
  try {
    await until('all see each other', startMsMax, () => allSeeAll(peers))
    const times: number[] = []
    for (let change = 0; change < changes; change++) {
      await sleep(pauseMsMin + prng.next() * pauseMsRange)
      publishedAt = undefined
      heardAt.clear()
      peers[change % peers.length]?.publish()
      await until(
        'all have the change',
        changeMsMax,
        () => publishedAt !== undefined && heardAt.size >= peers.length - 1,
      )
      times.push(Math.max(...heardAt.values()) - (publishedAt ?? Number.NaN))
    }
    return {
      nodes: seats.length,
      changes,
      p50Ms: rounded(median(times), 0),
      p99Ms: rounded(percentile(times, 0.99), 0),
      maxMs: rounded(percentile(times, 1), 0),
    }
  } finally {
    await Promise.all(peers.map(peer => peer.kill()))
  }
}
