import { expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { InvariantViolation } from '../../kernel/invariant.ts'
import { aesGcm } from './aes-gcm.ts'

const none = new Uint8Array(0)

test.each([16, 24, 32])('what a key of %i bytes sealed it opens, with the same associated data alone', size => {
  const cipher = aesGcm()
  const key = new Uint8Array(size).fill(7)
  const sealed = cipher.seal(key, utf8('hello'), utf8('blue'))
  expect(sealed).toHaveLength(12 + 5 + 16)
  expect(cipher.open(key, sealed, utf8('blue'))).toEqual(utf8('hello'))
  expect(cipher.open(key, sealed, utf8('navy'))).toBeUndefined()
  expect(cipher.open(new Uint8Array(size).fill(8), sealed, utf8('blue'))).toBeUndefined()
})

test('the arithmetic is that of the standard', () => {
  // The second case of the appendix of the GCM paper by McGrew and Viega: a key, a nonce and a block of zeros.
  const sealed = fromHex('000000000000000000000000 0388dace60b6a392f328c2b971b2fe78 ab6e47d42cec13bdf53a67b21257bddf')
  expect(aesGcm().open(new Uint8Array(16), sealed, none)).toEqual(new Uint8Array(16))
})

test('what is too short to be sealed is not opened', () => {
  const cipher = aesGcm()
  const key = new Uint8Array(32)
  for (let size = 0; size < 28; size++) expect(cipher.open(key, new Uint8Array(size), none)).toBeUndefined()
  expect(cipher.open(key, cipher.seal(key, none, none), none)).toEqual(none)
})

test('no nonce is used twice', () => {
  const cipher = aesGcm()
  const key = new Uint8Array(32)
  const nonces = Array.from({ length: 10_000 }, () => toHex(cipher.seal(key, none, none).subarray(0, 12)))
  expect(new Set(nonces).size).toBe(nonces.length)
})

test('a plain array comes back, of which a slice is a copy', () => {
  const cipher = aesGcm()
  const key = new Uint8Array(32)
  const plain = cipher.open(key, cipher.seal(key, utf8('hello'), none), none)
  expect(plain?.constructor).toBe(Uint8Array)
  expect(plain?.byteLength).toBe(plain?.buffer.byteLength)
})

test('a key of another length is a bug of ours', () => {
  expect(() => aesGcm().seal(new Uint8Array(15), none, none)).toThrow(InvariantViolation)
})
