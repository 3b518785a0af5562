import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { literalLzw } from '../../testing/literal-lzw.ts'
import { crc32 } from './crc32.ts'
import { decodeLzw } from './lzw-decode.ts'

interface Vectors {
  readonly vectors: readonly {
    readonly name: string
    readonly length: number
    readonly crc32: number
    readonly packed: string
    readonly plain?: string
  }[]
}

const { vectors } = JSON.parse(readFileSync(new URL('data/lzw.json', import.meta.url), 'utf8')) as Vectors
const limit = 100_000

describe('what a Go peer packed comes out again', () => {
  const filled = vectors.filter(vector => vector.length > 0)
  test.each(filled)('$name ($length bytes)', vector => {
    const plain = decodeLzw(fromHex(vector.packed), limit)
    if (!plain.ok) throw new Error(plain.error.detail)
    expect(plain.value.length).toBe(vector.length)
    expect(crc32(plain.value)).toBe(vector.crc32)
    if (vector.plain !== undefined) expect(toHex(plain.value)).toBe(vector.plain)
  })

  test('one of them is long enough to empty the table several times', () => {
    // A table holds 3838 entries of ours, and random bytes make nearly one entry each.
    expect(filled.find(vector => vector.name === 'random bytes')?.length).toBeGreaterThan(3 * 3838)
  })
})

test('an output of exactly the limit passes, one byte more does not', () => {
  const zeros = fromHex(vectors.find(vector => vector.name === 'one byte repeated')?.packed ?? '')
  expect(decodeLzw(zeros, 10_000)).toMatchObject({ ok: true })
  expect(decodeLzw(zeros, 9_999)).toMatchObject({ ok: false, error: { reason: 'tooLarge' } })
})

test('an empty output is refused', () => {
  const nothing = vectors.find(vector => vector.length === 0)
  expect(decodeLzw(fromHex(nothing?.packed ?? ''), limit)).toMatchObject({ ok: false, error: { reason: 'malformed' } })
})

test('data without its end code is refused wherever it is cut', () => {
  const whole = literalLzw(utf8('cut me anywhere'))
  expect(decodeLzw(whole, limit)).toEqual({ ok: true, value: utf8('cut me anywhere') })
  for (let size = 0; size < whole.length - 1; size++) {
    expect(decodeLzw(whole.subarray(0, size), limit)).toMatchObject({ ok: false })
  }
})

test('a code beyond the table is refused, right after a clear too', () => {
  expect(decodeLzw(nineBits([256, 258]), limit)).toMatchObject({ ok: false, error: { reason: 'malformed' } })
  expect(decodeLzw(nineBits([256, 97, 259]), limit)).toMatchObject({ ok: false, error: { reason: 'malformed' } })
  expect(decodeLzw(nineBits([256, 97, 258, 257]), limit)).toEqual({ ok: true, value: utf8('aaa') })
})

test('a clear may be left out at the start and repeated at will', () => {
  expect(decodeLzw(nineBits([97, 98, 257]), limit)).toEqual({ ok: true, value: utf8('ab') })
  expect(decodeLzw(nineBits([256, 256, 97, 256, 98, 257]), limit)).toEqual({ ok: true, value: utf8('ab') })
})

test('a table that is full keeps serving what it has', () => {
  // No clear at all: 5000 literals fill the 4096 entries, then entry 258 ("ab") is still good, at 12 bits.
  const plain = 'ab'.repeat(2500)
  const codes = [...utf8(plain)]
  let free = 257
  let width = 9
  const sized = [...codes, 258, 257].map(code => {
    const item = { code, width }
    if (++free === 1 << width && width < 12) width++
    return item
  })
  expect(decodeLzw(packed(sized), limit)).toEqual({ ok: true, value: utf8(`${plain}ab`) })
})

function nineBits(codes: readonly number[]): Uint8Array {
  return packed(codes.map(code => ({ code, width: 9 })))
}

function packed(codes: readonly { readonly code: number; readonly width: number }[]): Uint8Array {
  const bits = codes.flatMap(({ code, width }) => Array.from({ length: width }, (_, i) => (code >> i) & 1))
  const octet = (at: number): number => bits.slice(at, at + 8).reduce((sum, bit, i) => sum | (bit << i), 0)
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) => octet(8 * i))
}
