import { describe, expect, test } from 'vitest'
import { toHex } from '../../kernel/bytes.ts'
import type { GossipKey, Keyring } from '../membership/index.ts'
import type { KeyOperation } from './key-operation.ts'
import { applyKeyOperation, fingerprintPattern, keysMax } from './keyring.ts'

const keyOf = (number: number, sizeBytes = 32): GossipKey => new Uint8Array(sizeBytes).fill(number)
const fingerprint = (key: GossipKey): string => toHex(key.subarray(0, 6))
const [one, two, three] = [keyOf(1), keyOf(2), keyOf(3)]

function after(keyring: Keyring, operation: KeyOperation): readonly string[] | string {
  const changed = applyKeyOperation(keyring, operation, fingerprint)
  return changed.ok ? changed.value.map(fingerprint) : changed.error
}

test('the fingerprints of these tests are such as travel', () => {
  expect(fingerprint(one)).toMatch(fingerprintPattern)
})

describe('install', () => {
  test.each([16, 24, 32])('a key of %i bytes goes to the end: nothing is encrypted with it yet', sizeBytes => {
    const key = keyOf(9, sizeBytes)
    expect(after([one, two], { kind: 'install', key })).toEqual([one, two, key].map(fingerprint))
  })

  test.each([0, 15, 17, 31, 33])('%i bytes are no key', sizeBytes => {
    expect(after([one], { kind: 'install', key: keyOf(9, sizeBytes) })).toContain(`this one has ${sizeBytes}`)
  })

  test('what is there already is not added again, by content and not by identity', () => {
    const keyring = [one, two]
    const changed = applyKeyOperation(keyring, { kind: 'install', key: keyOf(2) }, fingerprint)
    expect(changed).toEqual({ ok: true, value: keyring })
    expect(changed.ok && changed.value).toBe(keyring)
  })

  test('a full ring takes no more, but still says yes to what it has', () => {
    const full = Array.from({ length: keysMax }, (_, i) => keyOf(i))
    expect(after(full, { kind: 'install', key: keyOf(99) })).toContain('8 keys are installed already')
    expect(after(full, { kind: 'install', key: keyOf(3) })).toHaveLength(keysMax)
  })
})

describe('use', () => {
  test('moves an installed key to the front and keeps the order of the others', () => {
    const wanted = fingerprint(three)
    expect(after([one, two, three], { kind: 'use', fingerprint: wanted })).toEqual([three, one, two].map(fingerprint))
  })

  test('of the primary changes nothing', () => {
    const keyring = [one, two]
    const changed = applyKeyOperation(keyring, { kind: 'use', fingerprint: fingerprint(one) }, fingerprint)
    expect(changed.ok && changed.value).toBe(keyring)
  })

  test('of a key that is not installed is refused', () => {
    expect(after([one], { kind: 'use', fingerprint: fingerprint(two) })).toContain('install it first')
  })
})

describe('remove', () => {
  test('forgets one key and no other', () => {
    expect(after([one, two, three], { kind: 'remove', fingerprint: fingerprint(two) })).toEqual(
      [one, three].map(fingerprint),
    )
  })

  test.each([
    ['the primary', one, 'is the primary key'],
    ['an unknown key', three, 'there is nothing to remove'],
  ])('%s is refused', (_, key, why) => {
    expect(after([one, two], { kind: 'remove', fingerprint: fingerprint(key) })).toContain(why)
  })
})
