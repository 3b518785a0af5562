import { expect, test } from 'vitest'
import { addressFilter, isCidr } from './cidr.ts'

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['100.64.0.0/10', '100.127.255.255', true],
  ['100.64.0.0/10', '100.128.0.0', false],
  ['100.64.0.0/10', '100.63.255.255', false],
  ['192.168.1.129/25', '192.168.1.200', true],
  ['192.168.1.129/25', '192.168.1.127', false],
  ['10.0.0.7', '10.0.0.7', true],
  ['10.0.0.7', '10.0.0.8', false],
  ['10.0.0.7/32', '10.0.0.6', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '10.0.0.1', false],
  ['fd7a:115c:a1e0::/48', 'fd7a:115c:a1e0:ab12::1', true],
  ['fd7a:115c:a1e0::/48', 'fd7a:115c:a1e1::1', false],
  ['fd7a:115c:a1e0::/47', 'fd7a:115c:a1e1::1', true],
  ['2001:db8::1', '2001:0DB8:0:0:0:0:0:1', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '::ffff:11.1.2.3', false],
  ['::ffff:10.0.0.0/104', '10.1.2.3', true],
  ['::ffff:10.0.0.0/104', '11.1.2.3', false],
  ['10.0.0.0/8', 'fe80::1%eth0', false],
  ['10.0.0.0/8', 'localhost', false],
  ['10.0.0.0/8', '', false],
])('%s holds %s: %s', (range, ip, held) => {
  const allows = addressFilter([range])
  expect([allows(ip), allows(ip)]).toEqual([held, held])
})

test('without ranges every address is allowed, with several one of them is enough', () => {
  expect(addressFilter([])('203.0.113.9')).toBe(true)
  const allows = addressFilter(['10.0.0.0/8', 'fd00::/8'])
  expect(['10.0.0.1', 'fd00::1', '11.0.0.1'].map(ip => allows(ip))).toEqual([true, true, false])
})

test('more addresses than are remembered are still judged rightly', () => {
  const allows = addressFilter(['10.1.0.0/16'])
  const judged = Array.from({ length: 5_000 }, (_, i) => allows(`10.${i % 4}.${i >> 8}.${i & 255}`))
  expect(judged.filter(Boolean)).toHaveLength(1_250)
})

test.each([
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/08',
  '10.0.0.0/',
  '10.0.0/8',
  '::/129',
  '::ffff:10.0.0.0/95',
  'x/8',
])('%s is no range', text => {
  expect(isCidr(text)).toBe(false)
  expect(() => addressFilter([text])).toThrow('is a range of addresses')
})
