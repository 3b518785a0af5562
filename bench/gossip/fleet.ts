/** One program or the other as processes on loopback: what a member of either looks like to the bench. */
import { performance } from 'node:perf_hooks'
import type { Seat } from './peer.ts'

export type { Seat } from './peer.ts'

/** What a member holds of another; `suspect` is told by whoever accuses first only, when the program is serf. */
export type Held = 'alive' | 'suspect' | 'dead'

export interface Knowledge {
  readonly held: Held
  /** When the line that said so arrived here, on our monotonic clock. */
  readonly atMs: number
}

export interface Peer {
  readonly seat: Seat
  /** What it holds of each other, by name. */
  readonly known: ReadonlyMap<string, Knowledge>
  /** When it last began to suspect somebody, by name. */
  readonly suspected: ReadonlyMap<string, number>
  /** SIGKILL, and its end. */
  kill(): Promise<void>
}

export type StartPeer = (seat: Seat, joins: readonly Seat[]) => Peer

export interface Notes {
  readonly known: Map<string, Knowledge>
  readonly suspected: Map<string, number>
  note(name: string, held: Held): void
}

export function createNotes(): Notes {
  const known = new Map<string, Knowledge>()
  const suspected = new Map<string, number>()
  return {
    known,
    suspected,
    note(name, held) {
      const atMs = performance.now()
      if (held === 'suspect') suspected.set(name, atMs)
      else known.set(name, { held, atMs })
    },
  }
}

/** One loopback address each, so that all may use the same port. */
export function seatsOf(prefix: string, block: number, count: number): readonly Seat[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${prefix}-${i + 1}`,
    ip: `127.0.${block}.${i + 1}`,
    port: 17_946,
  }))
}

const lookMs = 20

/** For what is waited for, not measured. */
export async function until(what: string, withinMs: number, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await sleep(lookMs)
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

export function holds({ known }: Peer, name: string, held: Held): boolean {
  return known.get(name)?.held === held
}

export function allSeeAll(peers: readonly Peer[]): boolean {
  return peers.every(peer => peers.every(other => other === peer || holds(peer, other.seat.name, 'alive')))
}
