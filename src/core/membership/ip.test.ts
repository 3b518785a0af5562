import { isIP } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../kernel/bytes.ts'
import { ipFromBytes, ipToBytes } from './ip.ts'

test.each([
  ['7f000015', '127.0.0.21'],
  ['00000000', '0.0.0.0'],
  ['fd7a115ca1e000000000000000000001', 'fd7a:115c:a1e0::1'],
  ['00000000000000000000000000000001', '::1'],
  ['00000000000000000000000000000000', '::'],
  ['fe800000000000000000000000000000', 'fe80::'],
  ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['20010000000000010000000000000001', '2001:0:0:1::1'],
  ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
])('%s is %s and back', (hex, ip) => {
  expect(ipFromBytes(fromHex(hex))).toBe(ip)
  expect(toHex(ipToBytes(ip) ?? new Uint8Array())).toBe(hex)
})

test('an IPv4 address inside IPv6 is the same address as without', () => {
  expect(ipFromBytes(fromHex('00000000000000000000ffff0a000001'))).toBe('10.0.0.1')
  expect(ipToBytes('::ffff:10.0.0.1')).toEqual(Uint8Array.of(10, 0, 0, 1))
  expect(ipToBytes('::ffff:a00:1')).toEqual(Uint8Array.of(10, 0, 0, 1))
})

test('a dotted end counts as two groups', () => {
  expect(toHex(ipToBytes('64:ff9b::192.0.2.1') ?? new Uint8Array())).toBe('0064ff9b0000000000000000c0000201')
})

test.each([
  '',
  'localhost',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4 ',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8',
  '1.2.3.4::1',
  '::1.2.3.4:5',
  '12345::',
  'g::1',
  'fe80::1%eth0',
])('%j is no address', text => {
  expect(ipToBytes(text)).toBeUndefined()
})

test.each([0, 3, 5, 15, 17])('%i bytes are no address', length => {
  expect(ipFromBytes(new Uint8Array(length))).toBeUndefined()
})

test('every IPv6 text is the one that a browser would write, and reads back as the same bytes', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), groups => {
      const bytes = Uint8Array.from(groups.flatMap(value => [value >> 8, value & 0xff]))
      const text = ipFromBytes(bytes) ?? ''
      fc.pre(text.includes(':'))
      expect(`[${text}]`).toBe(new URL(`http://[${groups.map(value => value.toString(16)).join(':')}]`).hostname)
      expect(ipToBytes(text)).toEqual(bytes)
    }),
  )
})

test('whether text is an address is decided as Node decides it', () => {
  const piece = fc.constantFrom('', ':', '::', '.', '0', '1', 'ff', 'abcd', '255', '256', '1.2.3.4', 'x')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), pieces => {
      const text = pieces.join('')
      expect(ipToBytes(text) !== undefined).toBe(isIP(text) !== 0)
    }),
    { numRuns: 2000 },
  )
})
