/**
 * Random and mutated bytes against the decoders of packets and streams: none may throw, take long, or hand out what could
 * not be sent again. `npm run fuzz` is the long run, over every decoder and with figures.
 * FUZZ_RUNS sets how many inputs each decoder gets, FUZZ_SEED which; a failure names both and the input.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { equalBytes, fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { createPrng } from '../../kernel/prng.ts'
import type { Prng } from '../../kernel/prng.ts'
import { hostileBytes } from '../../testing/hostile-bytes.ts'
import { literalLzw } from '../../testing/literal-lzw.ts'
import { decodePacket, encodeMessage } from './codec.ts'
import { metaBytesMax } from './limits.ts'
import { decodeLzw } from './lzw-decode.ts'
import { decodePackable, encodePackable } from './msgpack.ts'
import { createStreamDecoder, encodePushPull, encodeStreamUser } from './stream-codec.ts'

const runs = Number(process.env['FUZZ_RUNS'] ?? 20_000)
const seed = Number(process.env['FUZZ_SEED'] ?? 1)
/** For one input. Generous, because a collection of garbage or a busy machine is no fault of the decoder. */
const slowestMs = 1000

const serf = JSON.parse(readFileSync(new URL('data/serf.json', import.meta.url), 'utf8')) as Record<
  'packets' | 'streams',
  readonly { readonly hex: string }[]
>
const packets = serf.packets.map(sample => fromHex(sample.hex))
const streams = [...serf.streams.map(sample => fromHex(sample.hex)), encodeStreamUser(utf8('hello'))]
const values = [
  encodePackable({ a: [1, -1, 1.5, null, true], b: { c: 'text', d: Uint8Array.of(1, 2, 3) }, e: 2 ** 40 }),
  encodePackable(['x'.repeat(40), new Uint8Array(300), { n: [[[]]] }]),
]

describe(`${runs} hostile inputs each`, () => {
  const options = { timeout: 1000 + runs * 5 }

  test('packets', options, () => {
    fuzz(packets, bytes => {
      for (const message of decodePacket(bytes).messages) {
        const sent = encodeMessage(message)
        const [again] = decodePacket(sent).messages
        if (again === undefined || !equalBytes(encodeMessage(again), sent)) throw new Error('cannot be sent again')
      }
    })
  })

  test('streams, in chunks', options, () => {
    fuzz(streams, (bytes, prng) => {
      const decoder = createStreamDecoder()
      const chunkBytes = 1 + prng.below(200)
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        const answer = decoder.push(bytes.subarray(at, at + chunkBytes))
        const message = answer.ok ? answer.value : undefined
        if (message?.kind !== 'pushPull') continue
        if (message.nodes.some(node => node.name === '' || node.meta.length > metaBytesMax)) throw new Error('no node')
        encodePushPull(message)
      }
    })
  })

  test('packed values', options, () => {
    fuzz(values, bytes => {
      const value = decodePackable(bytes)
      if (value.ok && !decodePackable(encodePackable(value.value)).ok) throw new Error('cannot be packed again')
    })
  })

  test('compressed data', options, () => {
    fuzz([literalLzw(utf8('the same the same the same')), ...packets], bytes => {
      const plain = decodeLzw(bytes, 10_000)
      if (plain.ok && (plain.value.length === 0 || plain.value.length > 10_000)) throw new Error('not within the limit')
    })
  })
})

function fuzz(samples: readonly Uint8Array[], decode: (bytes: Uint8Array, prng: Prng) => void): void {
  const prng = createPrng(seed)
  let slowest = 0
  for (let run = 0; run < runs; run++) {
    const bytes = hostileBytes(prng, samples)
    const before = performance.now()
    try {
      decode(bytes, prng)
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${seed}, input ${run}: ${toHex(bytes)}`, { cause })
    }
    slowest = Math.max(slowest, performance.now() - before)
  }
  expect(slowest).toBeLessThan(slowestMs)
}
