/**
 * How long until everybody knows that a member is dead: real processes, one of them killed, what each survivor says stamped
 * here when it arrives. The victim varies and dies at a random moment of everybody's rounds; it is back and seen by all
 * before the next dies.
 */
import { performance } from 'node:perf_hooks'
import type { Prng } from '../../src/kernel/prng.ts'
import { summarise } from '../statistics.ts'
import type { Summary } from '../statistics.ts'
import { allSeeAll, holds, sleep, until } from './fleet.ts'
import type { Peer, Seat, StartPeer } from './fleet.ts'

export interface Death {
  readonly firstSuspectMs: number
  readonly firstKnowsMs: number
  readonly allKnowMs: number
}

export type DetectionFigures = Readonly<Record<keyof Death, Summary>> & { readonly deaths: readonly Death[] }

const startMsMax = 60_000
const detectionMsMax = 60_000
/** A probe round that failed leaves its prober slower for a few good ones. */
const settleMs = 4_000
const phaseMs = 1_000

export async function measureDetection(
  start: StartPeer,
  seats: readonly Seat[],
  runs: number,
  prng: Prng,
  onRun: (run: number, death: Death) => void,
): Promise<DetectionFigures> {
  const peers = seats.map((seat, i) => start(seat, seats.slice(0, i)))
  try {
    const deaths: Death[] = []
    for (let run = 0; run < runs; run++) {
      await until(`${seats[0]?.name ?? ''} and the others see each other`, startMsMax, () => allSeeAll(peers))
      await sleep(settleMs + prng.next() * phaseMs)
      const death = await killOne(start, peers, prng.below(peers.length))
      deaths.push(death)
      onRun(run + 1, death)
    }
    return { ...summariseDeaths(deaths), deaths }
  } finally {
    await Promise.all(peers.map(peer => peer.kill()))
  }
}

/** Puts the one that comes back into the victim's place. */
async function killOne(start: StartPeer, peers: Peer[], place: number): Promise<Death> {
  const victim = peers[place]
  if (victim === undefined) throw new Error(`nobody has place ${place}`)
  const { name } = victim.seat
  const survivors = peers.filter(peer => peer !== victim)
  const killedAt = performance.now()
  await victim.kill()
  await until(`all know that ${name} is dead`, detectionMsMax, () => survivors.every(peer => holds(peer, name, 'dead')))
  const knownAfter = survivors.map(peer => (peer.known.get(name)?.atMs ?? Number.NaN) - killedAt)
  const suspectedAfter = survivors
    .map(peer => (peer.suspected.get(name) ?? Number.NEGATIVE_INFINITY) - killedAt)
    .filter(afterMs => afterMs >= 0)
  peers[place] = start(
    victim.seat,
    survivors.map(peer => peer.seat),
  )
  return {
    firstSuspectMs: Math.min(...suspectedAfter),
    firstKnowsMs: Math.min(...knownAfter),
    allKnowMs: Math.max(...knownAfter),
  }
}

function summariseDeaths(deaths: readonly Death[]): Readonly<Record<keyof Death, Summary>> {
  return {
    firstSuspectMs: summarise(deaths.map(death => death.firstSuspectMs)),
    firstKnowsMs: summarise(deaths.map(death => death.firstKnowsMs)),
    allKnowMs: summarise(deaths.map(death => death.allKnowMs)),
  }
}
