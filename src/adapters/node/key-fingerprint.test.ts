import { expect, test } from 'vitest'
import { keyFingerprint } from './key-fingerprint.ts'

test('is the beginning of what `sha256sum` prints', () => {
  // printf abc | sha256sum
  expect(keyFingerprint(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01')
})

test('one bit makes another name', () => {
  const key = new Uint8Array(32)
  const other = key.with(31, 1)
  expect(keyFingerprint(key)).not.toBe(keyFingerprint(other))
})
