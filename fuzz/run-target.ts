/**
 * Fires inputs at one target and measures: exceptions, how long each input took, and what the heap does. A duration counts
 * only when it repeats: an input that was slow is decoded again, and the quickest of its runs is what it cost; the rest was
 * the machine or the garbage collector.
 */
import { createPrng } from '../src/kernel/prng.ts'
import { toHex } from '../src/kernel/bytes.ts'
import { hostileBytes } from '../src/testing/hostile-bytes.ts'
import { createHistogram } from './histogram.ts'
import type { FuzzTarget } from './target.ts'

export interface FuzzResult {
  readonly target: string
  readonly inputs: number
  /** The first few, each with its number and its bytes in hexadecimal. */
  readonly exceptions: readonly { readonly input: number; readonly hex: string; readonly error: string }[]
  readonly p50Ms: number
  readonly p9999Ms: number
  /** The slowest input whose slowness repeats. */
  readonly slowestMs: number
  readonly slowestHex: string
  /** Live heap after a tenth of the inputs and at the end, both after collecting garbage. */
  readonly heapBeforeMb: number
  readonly heapAfterMb: number
  readonly wallMs: number
}

const exceptionsMax = 5
const suspiciousMs = 0.5
const repeats = 5

export function runTarget(
  target: FuzzTarget,
  inputs: number,
  seed: number,
  collectGarbage: () => void,
  onProgress: (done: number) => void = () => undefined,
): FuzzResult {
  const prng = createPrng(seed)
  const histogram = createHistogram()
  const exceptions: { input: number; hex: string; error: string }[] = []
  const began = performance.now()
  let slowestMs = 0
  let slowest = new Uint8Array(0)
  let heapBeforeMb = 0

  for (let input = 0; input < inputs; input++) {
    if (input === Math.floor(inputs / 10)) heapBeforeMb = heapMb(collectGarbage)
    if (input % 100_000 === 0) onProgress(input)
    const bytes = hostileBytes(prng, target.samples)
    const choices = prng.below(0x1_0000_0000)
    try {
      const durationMs = repeatable(() => target.decode(bytes, createPrng(choices)))
      histogram.add(durationMs)
      if (durationMs > slowestMs) {
        slowestMs = durationMs
        slowest = Uint8Array.from(bytes)
      }
    } catch (error) {
      if (exceptions.length < exceptionsMax) exceptions.push({ input, hex: toHex(bytes), error: String(error) })
    }
  }
  return {
    target: target.name,
    inputs,
    exceptions,
    p50Ms: histogram.percentileMs(0.5),
    p9999Ms: histogram.percentileMs(0.9999),
    slowestMs,
    slowestHex: toHex(slowest.subarray(0, 256)),
    heapBeforeMb,
    heapAfterMb: heapMb(collectGarbage),
    wallMs: Math.round(performance.now() - began),
  }
}

function repeatable(decode: () => void): number {
  let leastMs = timed(decode)
  for (let again = 0; again < repeats && leastMs > suspiciousMs; again++) leastMs = Math.min(leastMs, timed(decode))
  return leastMs
}

function timed(run: () => void): number {
  const before = performance.now()
  run()
  return performance.now() - before
}

function heapMb(collectGarbage: () => void): number {
  collectGarbage()
  return Number((process.memoryUsage().heapUsed / 1024 / 1024).toFixed(2))
}
