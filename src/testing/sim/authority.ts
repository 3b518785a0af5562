/**
 * One seed, many authorities: the network, each node, the faults, the workload. Each draws from a generator of its own,
 * made from the seed and its name, so that one more draw here shifts nothing there and a run stays comparable.
 */
import { createPrng } from '../../kernel/prng.ts'
import type { Prng } from '../../kernel/prng.ts'

export type Authorities = (name: string) => Prng

/** The same name gives the same draws from the start, whenever it is asked for. */
export function authoritiesOf(seed: number): Authorities {
  return name => createPrng(fnv1a(`${seed}/${name}`))
}

/** FNV-1a, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Uniform integer from `least` to `most`, both included. */
export function between(prng: Prng, least: number, most: number): number {
  return least + prng.below(most - least + 1)
}

export function chance(prng: Prng, share: number): boolean {
  return prng.next() < share
}

/** One of them; undefined of none. */
export function oneOf<T>(prng: Prng, items: readonly T[]): T | undefined {
  return items[prng.below(Math.max(1, items.length))]
}
