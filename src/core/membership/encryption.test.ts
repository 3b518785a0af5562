/** Payloads that memberlist itself sealed, what is refused, and that no changed bit gets through. */
import { createCipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aesGcm } from '../../adapters/node/aes-gcm.ts'
import { concatBytes, fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import type { Keyring, Security } from './cipher.ts'
import { openPacket, openStream, sealPacket, sealStream } from './encryption.ts'
import { createProtection } from './protection.ts'
import type { Protection } from './protection.ts'

const cipher = aesGcm()
const ours = new Uint8Array(32).fill(1)
const theirs = new Uint8Array(32).fill(2)
const none = new Uint8Array(0)

function security(keyring: Keyring, over: Partial<Security> = {}): Security {
  return { cipher, keyring, verifyIncoming: true, verifyOutgoing: true, ...over }
}

function protection(keyring: Keyring, label = '', over: Partial<Security> = {}): Protection {
  return createProtection(label, security(keyring, over))
}

type Row = readonly [version: number, kind: string, label: string, keyBytes: number, plainBytes: number, sealed: string]
const { rows } = JSON.parse(readFileSync(new URL('data/encrypted.json', import.meta.url), 'utf8')) as {
  readonly rows: readonly Row[]
}

describe('what memberlist sealed is opened', () => {
  test.each(rows)('version %i, %s, label "%s", key of %i bytes, %i bytes', (_, kind, label, keyBytes, size, sealed) => {
    const key = Uint8Array.from({ length: keyBytes }, (_, i) => 7 * i + keyBytes)
    const plain = Uint8Array.from({ length: size }, (_, i) => (i === 0 ? 8 : i))
    const open = kind === 'packet' ? openPacket : openStream
    expect(open(fromHex(sealed), protection([ours, key], label))).toEqual({ ok: true, value: plain })
    expect(open(fromHex(sealed), protection([key], `${label}er`))).toMatchObject({ error: { reason: 'badKey' } })
  })
})

test('anything comes back from a packet and from a stream, whichever of the keys it was sealed with', () => {
  const key = fc.constantFrom(16, 24, 32).chain(size => fc.uint8Array({ minLength: size, maxLength: size }))
  fc.assert(
    fc.property(key, fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 20 }), (primary, plain, label) => {
      const sender = protection([primary, theirs], label)
      const receiver = protection([ours, primary], label)
      expect(openPacket(sealPacket(plain, sender), receiver)).toEqual({ ok: true, value: plain })
      expect(openStream(sealStream(plain, sender), receiver)).toEqual({ ok: true, value: plain })
    }),
  )
})

test('a sealed packet costs 29 bytes and begins with its version, a stream has its length before', () => {
  const plain = utf8('hello')
  expect(sealPacket(plain, protection([ours]))).toHaveLength(plain.length + 29)
  expect(sealPacket(plain, protection([ours]))[0]).toBe(1)
  expect(toHex(sealStream(plain, protection([ours])).subarray(0, 6))).toBe('0a0000002201')
})

test.each([
  ['packet', sealPacket, openPacket],
  ['stream', sealStream, openStream],
] as const)('no %s with a changed bit is opened', (_, seal, open) => {
  const whole = seal(utf8('a message of some length, long enough to be one'), protection([ours], 'blue'))
  expect(open(whole, protection([ours], 'blue')).ok).toBe(true)
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const changed = whole.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(open(changed, protection([ours], 'blue')).ok).toBe(false)
  }
  for (let size = 0; size < whole.length; size++)
    expect(open(whole.subarray(0, size), protection([ours], 'blue')).ok).toBe(false)
})

describe('padding of version 0 is checked to its last byte', () => {
  const padded = (plain: Uint8Array, padding: readonly number[]): Uint8Array =>
    concatBytes([Uint8Array.of(0), cipher.seal(ours, concatBytes([plain, Uint8Array.from(padding)]), none)])
  const repeated = (byte: number, count = byte): readonly number[] => Array.from({ length: count }, () => byte)

  test.each([
    ['one byte', 15, repeated(1)],
    ['a whole block', 16, repeated(16)],
  ])('%s passes', (_, size, padding) => {
    const plain = new Uint8Array(size).fill(200)
    expect(openPacket(padded(plain, padding), protection([ours]))).toEqual({ ok: true, value: plain })
  })

  test.each([
    ['none', 15, [0]],
    ['more than a block', 15, repeated(17)],
    ['longer than what it pads', 15, [255]],
    ['uneven', 12, [4, 4, 3, 4]],
    ['not to a whole block', 10, repeated(4)],
    ['of nothing', 0, []],
  ])('%s is refused', (_, size, padding) => {
    const answer = openPacket(padded(new Uint8Array(size).fill(200), padding), protection([ours]))
    expect(answer).toEqual({ ok: false, error: { reason: 'malformed', detail: 'the padding is wrong' } })
  })

  test('also of a packet whose nonce makes it look like a ping in clear, even while clear packets pass', () => {
    const nonce = fromHex('81a4 4e6f6465 a1 61 00000000')
    const sealing = createCipheriv('aes-256-gcm', ours, nonce)
    const sealed = [sealing.update(new Uint8Array(16)), sealing.final(), sealing.getAuthTag()]
    const packet = concatBytes([Uint8Array.of(0), nonce, ...sealed])
    for (const verifyIncoming of [true, false])
      expect(openPacket(packet, protection([ours], '', { verifyIncoming }))).toMatchObject({
        error: { detail: 'the padding is wrong' },
      })
  })
})

describe('what is refused, and why', () => {
  const ping = fromHex('0081a5 5365714e6f 07 a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0')
  const nack = fromHex('0b81a5 5365714e6f 07')
  const sealed = (key = ours): Uint8Array => sealPacket(nack, protection([key]))
  const introducing = { verifyIncoming: false }

  test.each<readonly [string, Uint8Array, Protection, string]>([
    ['a sealed packet, when we have no keys at all', sealed(), createProtection(), 'encrypted'],
    ['a sealed packet, when our ring is empty', sealed(), protection([]), 'encrypted'],
    ['a packet of another key', sealed(theirs), protection([ours]), 'badKey'],
    [
      'a packet of another key, while keys are introduced',
      sealed(theirs),
      protection([ours], '', introducing),
      'badKey',
    ],
    ['a ping in clear, though it begins as a version does', ping, protection([ours]), 'plaintext'],
    ['a nack in clear', nack, protection([ours]), 'plaintext'],
    ['an encrypted stream in a packet', sealStream(nack, protection([ours])), protection([ours]), 'malformed'],
  ])('%s', (_, bytes, receiver, reason) => {
    expect(openPacket(bytes, receiver)).toMatchObject({ ok: false, error: { reason } })
  })

  test.each([
    ['ping', ping],
    ['nack', nack],
  ])('a %s in clear passes without keys, and while keys are introduced', (_, bytes) => {
    for (const receiver of [createProtection(), protection([]), protection([ours], '', introducing)])
      expect(openPacket(bytes, receiver)).toEqual({ ok: true, value: bytes })
  })

  test('what is encrypted is opened while keys are introduced, and nothing is encrypted yet', () => {
    const halfway = protection([ours], '', { verifyIncoming: false, verifyOutgoing: false })
    expect(openPacket(sealed(), halfway)).toEqual({ ok: true, value: nack })
    expect(sealPacket(nack, halfway)).toBe(nack)
    expect(sealStream(nack, halfway)).toBe(nack)
  })
})
