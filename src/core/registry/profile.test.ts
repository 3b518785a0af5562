import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { utf8 } from '../../kernel/bytes.ts'
import { aProfile } from '../../testing/builders.ts'
import { decodeProfile, encodeProfile } from './profile.ts'

test.each([
  aProfile(),
  aProfile({ role: 'witness', priority: -5, publicIp: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', cordoned: true }),
  aProfile({ nodeId: 'f0'.repeat(16), apiPort: 65_535, proxyPort: 1, raftPort: 8300, cordoned: false }),
])('a profile comes back as it was and stays small', profile => {
  const meta = encodeProfile(profile)
  expect(decodeProfile(meta)).toEqual(profile)
  expect(meta.length).toBeLessThan(128)
})

test.each([
  ['nothing', new Uint8Array()],
  ["a serf agent's tags", Uint8Array.of(0xff, 0x81, 0xa4, ...utf8('role'), 0xa3, ...utf8('web'))],
  ["an old serf agent's bare role", utf8('web')],
  ['more than metadata may hold', new Uint8Array(513).fill(0xc1)],
  ['a profile cut short', encodeProfile(aProfile()).slice(0, -1)],
])('%s is no profile', (_, meta) => {
  expect(decodeProfile(meta)).toBeUndefined()
})

test('random metadata never throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), meta => void decodeProfile(Uint8Array.of(0xc1, 1, ...meta))))
})

test('a node id that is none is our own mistake', () => {
  expect(() => encodeProfile(aProfile({ nodeId: 'node-a' }))).toThrow(/node id/)
})
