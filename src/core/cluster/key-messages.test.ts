import { describe, expect, test } from 'vitest'
import { createPrng } from '../../kernel/prng.ts'
import { nodeName } from '../../kernel/units.ts'
import { format, seal } from '../registry/index.ts'
import { decodeKeyMessage, encodeKeyMessage, isKeyMessage } from './key-messages.ts'
import type { KeyMessage } from './key-messages.ts'

const from = nodeName('node-a')
const [first, second] = ['0123456789ab', 'ba9876543210']

const messages: readonly KeyMessage[] = [
  { kind: 'request', id: 'r-1', from, operation: { kind: 'list' } },
  { kind: 'request', id: 'r-1', from, operation: { kind: 'install', key: new Uint8Array(24).fill(7) } },
  { kind: 'request', id: 'r-1', from, operation: { kind: 'use', fingerprint: first } },
  { kind: 'request', id: 'r-1', from, operation: { kind: 'remove', fingerprint: second } },
  { kind: 'reply', id: 'r-1', from, reply: { fingerprints: [first, second] } },
  { kind: 'reply', id: 'r-1', from, reply: { fingerprints: [], problem: 'gossip is in clear' } },
]

test.each(messages)('$kind $operation.kind survives the wire, and nobody else takes it for theirs', message => {
  const bytes = encodeKeyMessage(message)
  expect(isKeyMessage(bytes)).toBe(true)
  expect(decodeKeyMessage(bytes)).toEqual({ ok: true, value: message })
})

test('two bytes tell the kind: the one MessagePack never uses, then 6 or 7', () => {
  expect(messages.map(message => [...encodeKeyMessage(message).subarray(0, 2)])).toEqual([
    ...Array.from({ length: 4 }, () => [0xc1, 6]),
    ...Array.from({ length: 2 }, () => [0xc1, 7]),
  ])
})

test.each([[[]], [[0xc1]], [[0xc1, 2, 0x80]], [[0x80]], [[0xc0, 6]]])('%j is the business of others', bytes => {
  expect(isKeyMessage(Uint8Array.from(bytes))).toBe(false)
})

describe('what does not fit is refused as a whole', () => {
  const request = { i: 'r-1', n: 'node-a', o: 'list' }
  const reply = { i: 'r-1', n: 'node-a', f: [first] }

  test.each([
    ['an operation of a later version', seal(format.keyRequest, { ...request, o: 'rotate' }), 'o: '],
    ['a key of a wrong length', seal(format.keyRequest, { ...request, o: 'install', k: new Uint8Array(20) }), 'k: '],
    ['an endless key', seal(format.keyRequest, { ...request, o: 'install', k: new Uint8Array(3_000) }), 'k: '],
    ['no key', seal(format.keyRequest, { ...request, o: 'install' }), 'k: '],
    ['an impossible fingerprint', seal(format.keyRequest, { ...request, o: 'use', f: 'ABCDEFABCDEF' }), 'f: '],
    ['an impossible name', seal(format.keyRequest, { ...request, n: 'a b' }), 'n: '],
    ['an impossible id', seal(format.keyRequest, { ...request, i: 'r 1' }), 'i: '],
    ['more fingerprints than a ring has', seal(format.keyReply, { ...reply, f: Array(9).fill(first) }), 'f: '],
    ['a fingerprint that is none', seal(format.keyReply, { ...reply, f: ['xyz'] }), 'f: '],
    ['a problem that is no text', seal(format.keyReply, { ...reply, p: 7 }), 'p: '],
    ['no map', seal(format.keyReply, 7), 'n: '],
    ['too many bytes', seal(format.keyReply, { ...reply, z: new Uint8Array(5_000) }), 'bytes'],
  ])('%s', (_, bytes, detail) => {
    const decoded = decodeKeyMessage(bytes)
    expect(decoded).toMatchObject({ ok: false, error: expect.stringContaining(detail) })
  })

  test('a later version may say more', () => {
    const bytes = seal(format.keyReply, { ...reply, z: 'new' })
    expect(decodeKeyMessage(bytes)).toMatchObject({ ok: true })
  })
})

test('whatever the bytes are, decoding ends, and what was read can be said again', () => {
  const prng = createPrng(1)
  const valid = messages.map(message => encodeKeyMessage(message))
  for (let round = 0; round < 5_000; round++) {
    const bytes = Uint8Array.from(valid[prng.below(valid.length)] ?? [])
    for (let flips = 1 + prng.below(4); flips > 0; flips--) bytes[2 + prng.below(bytes.length - 2)] = prng.below(256)
    const cut = bytes.subarray(0, 2 + prng.below(bytes.length - 1))
    const decoded = decodeKeyMessage(cut)
    const again = decoded.ok ? decodeKeyMessage(encodeKeyMessage(decoded.value)) : decoded
    expect(again).toEqual(decoded)
  }
})

test('a long problem is cut, so that every reply can be read', () => {
  const reply = { fingerprints: [first], problem: 'x'.repeat(10_000) }
  const decoded = decodeKeyMessage(encodeKeyMessage({ kind: 'reply', id: 'r', from, reply }))
  expect(decoded).toMatchObject({ ok: true, value: { reply: { problem: 'x'.repeat(400) } } })
})
