import { crc32 as zlibCrc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { utf8 } from '../../kernel/bytes.ts'
import { crc32 } from './crc32.ts'

test('the check value of the IEEE polynomial comes out', () => {
  expect(crc32(utf8('123456789'))).toBe(0xcbf43926)
  expect(crc32(new Uint8Array())).toBe(0)
})

test('agrees with zlib on any bytes', () => {
  fc.assert(fc.property(fc.uint8Array(), bytes => crc32(bytes) === zlibCrc32(bytes)))
})
