/**
 * Bytes as an enemy or a broken peer would send them: noise that begins plausibly, and samples of the real thing with a few
 * wounds. From a seed, so that a failure can be repeated.
 */
import { concatBytes, fromHex } from '../kernel/bytes.ts'
import type { Prng } from '../kernel/prng.ts'

/** One in four is noise behind a plausible first byte, the others are samples with up to eight wounds. */
export function hostileBytes(prng: Prng, samples: readonly Uint8Array[]): Uint8Array {
  if (prng.below(4) === 0) return noise(prng, 1 + prng.below(120))
  let bytes = pick(prng, samples).slice()
  for (let wounds = 1 + prng.below(8); wounds > 0; wounds--) bytes = wounded(prng, bytes, samples)
  return bytes
}

/** Bytes that mean something to a reader: types, headers of every length, the ends of ranges. */
const telling = fromHex(
  '0001060708090a0c0df4 7f8081818f90919fa0a1bf c0c1c4c5c6c7 cacbcccdcecf d0d3d4d8d9dadbdcdddedf ff',
)

function noise(prng: Prng, length: number): Uint8Array {
  const bytes = Uint8Array.from({ length }, () => (prng.below(3) === 0 ? octet(prng) : prng.below(256)))
  bytes[0] = prng.below(14)
  return bytes
}

function wounded(prng: Prng, bytes: Uint8Array<ArrayBuffer>, samples: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const at = prng.below(bytes.length + 1)
  switch (prng.below(6)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      return joined(bytes.subarray(0, at), noise(prng, 1 + prng.below(9)), bytes.subarray(at))
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + prng.below(4)))
    case 3: {
      const other = pick(prng, samples)
      return joined(bytes.subarray(0, at), other.subarray(prng.below(other.length)))
    }
    default:
      if (at < bytes.length) bytes[at] = prng.below(2) === 0 ? octet(prng) : (bytes[at] ?? 0) ^ (1 << prng.below(8))
      return bytes
  }
}

function octet(prng: Prng): number {
  return telling[prng.below(telling.length)] ?? 0
}

function pick<T>(prng: Prng, items: readonly T[]): T {
  const item = items[prng.below(items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(concatBytes(parts))
}
