import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { InvariantViolation } from '../../kernel/invariant.ts'
import { decodePackable, encodePackable } from './msgpack.ts'
import type { Packable } from './msgpack.ts'

const filled = (length: number, byte = 0x78): Uint8Array => new Uint8Array(length).fill(byte)
const hexOf = (...parts: readonly (string | Uint8Array)[]): string =>
  toHex(concatBytes(parts.map(part => (typeof part === 'string' ? fromHex(part) : part))))

describe('what is written takes the shortest form of the old dialect', () => {
  test.each<readonly [Packable, string]>([
    [null, 'c0'],
    [false, 'c2'],
    [true, 'c3'],
    [0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [255, 'ccff'],
    [256, 'cd0100'],
    [65_535, 'cdffff'],
    [65_536, 'ce00010000'],
    [0xffff_ffff, 'ceffffffff'],
    [0x1_0000_0000, 'cf0000000100000000'],
    [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    [-1, 'ff'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-128, 'd080'],
    [-129, 'd1ff7f'],
    [-32_768, 'd18000'],
    [-32_769, 'd2ffff7fff'],
    [-0x8000_0000, 'd280000000'],
    [-0x8000_0001, 'd3ffffffff7fffffff'],
    [Number.MIN_SAFE_INTEGER, 'd3ffe0000000000001'],
    [1.5, 'cb3ff8000000000000'],
    [-0, 'cb8000000000000000'],
    [2 ** 53, 'cb4340000000000000'],
    ['', 'a0'],
    ['é', 'a2c3a9'],
    ['x'.repeat(31), hexOf('bf', filled(31))],
    ['x'.repeat(32), hexOf('da0020', filled(32))],
    ['x'.repeat(300), hexOf('da012c', filled(300))],
    ['x'.repeat(65_536), hexOf('db00010000', filled(65_536))],
    [new Uint8Array(), 'c400'],
    [filled(255), hexOf('c4ff', filled(255))],
    [filled(256), hexOf('c50100', filled(256))],
    [filled(65_536), hexOf('c600010000', filled(65_536))],
    [[], '90'],
    [[1, [2]], '92019102'],
    [Array.from({ length: 16 }, () => 0), hexOf('dc0010', filled(16, 0))],
    [Array.from({ length: 65_536 }, () => 0), hexOf('dd00010000', filled(65_536, 0))],
    [{}, '80'],
    [{ b: 1, a: 'x', gone: undefined }, '82a16201a161a178'],
  ])('%#', (value, hex) => {
    expect(toHex(encodePackable(value))).toBe(hex)
    expect(decodePackable(fromHex(hex))).toEqual({ ok: true, value })
  })
})

test('a map of sixteen members has a two-byte length', () => {
  const members = Array.from({ length: 16 }, (_, i): [string, number] => [String.fromCodePoint(97 + i), i])
  expect(toHex(encodePackable(Object.fromEntries(members)).subarray(0, 5))).toBe('de0010a161')
})

test.each([
  ['d90161', 'a'],
  ['db0000000161', 'a'],
  ['d3ffffffffffffffff', -1],
  ['d10080', 128],
  ['ca3fc00000', 1.5],
  ['dd0000000101', [1]],
  ['df00000001a16101', { a: 1 }],
])('%s, in a form we do not write, is read as well', (hex, value) => {
  expect(decodePackable(fromHex(hex))).toEqual({ ok: true, value })
})

describe('what cannot be ours is refused with a sentence', () => {
  test.each([
    ['', 'ends 1 bytes early'],
    ['a36162', 'ends 1 bytes early'],
    ['ddffffffff', 'ends 4294967295 bytes early'],
    ['dfffffffff', 'ends 8589934590 bytes early'],
    ['dbffffffff00', 'ends 4294967294 bytes early'],
    ['c1', 'no MessagePack value starts with 0xc1'],
    ['d40100', 'an extension type'],
    ['c7010100', 'an extension type'],
    ['a1ff', 'text that is not UTF-8'],
    ['8101c0', 'a map key that is not text'],
    ['cf0020000000000000', 'an integer beyond 2^53-1'],
    ['d3ffe0000000000000', 'an integer beyond 2^53-1'],
    ['0000', '1 bytes after the value'],
    ['91'.repeat(17) + 'c0', 'nests more than 16 levels'],
  ])('%s: %s', (hex, error) => {
    expect(decodePackable(fromHex(hex))).toEqual({ ok: false, error })
  })
})

test('sixteen levels are the deepest, on both sides', () => {
  let nested: Packable = null
  for (let depth = 0; depth < 16; depth++) nested = [nested]
  expect(decodePackable(encodePackable(nested))).toEqual({ ok: true, value: nested })
  expect(() => encodePackable([nested])).toThrow(InvariantViolation)
})

test('a few bytes cannot ask for a thousand times their size in memory', () => {
  const emptyMaps = concatBytes([fromHex('dd000f4240'), filled(1_000_000, 0x80)])
  expect(decodePackable(emptyMaps)).toEqual({ ok: false, error: 'more values than honest data of that size has' })
})

test('dense data of an honest size passes: numbers of one byte, records of short fields', () => {
  const numbers = Array.from({ length: 60_000 }, (_, i) => i % 100)
  const records = Array.from({ length: 20_000 }, (_, i) => ({
    id: i,
    port: 80,
    ip: '10.0.0.1',
    proto: 'tcp',
    up: true,
  }))
  for (const value of [numbers, records]) expect(decodePackable(encodePackable(value)).ok).toBe(true)
})

test('a member named __proto__ is an ordinary member', () => {
  const bytes = concatBytes([fromHex('81a9'), utf8('__proto__'), fromHex('81a17801')])
  const decoded = decodePackable(bytes)
  expect(decoded.ok && Object.keys(decoded.value as object)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
})

test('decoded bytes do not change with the buffer they came in', () => {
  const packet = encodePackable(Uint8Array.of(1, 2, 3))
  const decoded = decodePackable(packet)
  packet.fill(0)
  expect(decoded).toEqual({ ok: true, value: Uint8Array.of(1, 2, 3) })
})

test('whatever is packed comes back as it was, text as text and bytes as bytes', () => {
  const { value } = fc.letrec<{ value: Packable }>(tie => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array(),
      fc.array(tie('value')),
      fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value')),
    ),
  }))
  fc.assert(
    fc.property(value, packable => {
      expect(decodePackable(encodePackable(packable))).toEqual({ ok: true, value: packable })
    }),
    { numRuns: 200 },
  )
})
