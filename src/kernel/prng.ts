/**
 * Seeded randomness: xoshiro128** over a SplitMix32-filled state (Blackman and Vigna, public domain algorithm).
 * The core takes one of these instead of Math.random, so that a seed replays every choice. Not for secrets.
 */
export interface Prng {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, bound); bound >= 1. */
  below(bound: number): number
  /** Fisher-Yates on a copy. */
  shuffled<T>(items: readonly T[]): T[]
  /** An independent generator; drawing from it does not change what this one gives afterwards. */
  split(): Prng
}

export function createPrng(seed: number): Prng {
  let mix = seed >>> 0
  const fill = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  let a = fill()
  let b = fill()
  let c = fill()
  let d = fill()

  function bits(): number {
    const scaled = Math.imul(b, 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }

  const prng: Prng = {
    next: () => bits() / 0x1_0000_0000,
    below: bound => Math.floor(prng.next() * bound),
    shuffled(items) {
      const copy = [...items]
      for (let last = copy.length - 1; last > 0; last--) {
        const other = prng.below(last + 1)
        const held = copy[last] as (typeof copy)[number]
        copy[last] = copy[other] as (typeof copy)[number]
        copy[other] = held
      }
      return copy
    },
    split: () => createPrng(bits()),
  }
  return prng
}
