import { expect, test } from 'vitest'
import { countPacket, countStream, noTraffic, ratePerSecond } from './traffic.ts'

const message = (type: number, sizeBytes: number): Uint8Array => Uint8Array.of(type, ...Array(sizeBytes - 1).fill(0))
const crc = (inner: Uint8Array): Uint8Array => Uint8Array.of(12, 0, 0, 0, 0, ...inner)
const compound = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.of(7, parts.length, ...parts.flatMap(part => [0, part.length]), ...parts.flatMap(part => [...part]))

test.each([
  ['a ping', message(0, 50), { probeBytes: 50 }],
  ['an indirect ping', message(1, 60), { probeBytes: 60 }],
  ['an ack with a checksum', crc(message(2, 20)), { probeBytes: 25 }],
  ['a nack', message(11, 10), { probeBytes: 10 }],
  ['news about a member', message(4, 90), { gossipBytes: 90 }],
  ['news of the application', message(8, 90), { gossipBytes: 90 }],
  ['several news', crc(compound(message(4, 90), message(8, 80))), { gossipBytes: 5 + 2 + 2 * 2 + 170 }],
  [
    'an ack with news on it',
    crc(compound(message(2, 20), message(4, 90), message(8, 80))),
    { probeBytes: 5 + 2 + 2 + 20, piggybackBytes: 2 * 2 + 170 },
  ],
])('%s is counted where it belongs', (_, packet, expected) => {
  const traffic = noTraffic()
  countPacket(traffic, packet)
  expect(traffic).toEqual({ ...noTraffic(), packets: 1, ...expected })
})

test.each([
  ['a ping over TCP', message(0, 50), { probeBytes: 50 }],
  ['a whole state', message(6, 500), { pushPullBytes: 500 }],
  ['a compressed one', message(9, 300), { pushPullBytes: 300 }],
])('%s is counted where it belongs', (_, written, expected) => {
  const traffic = noTraffic()
  countStream(traffic, written)
  expect(traffic).toEqual({ ...noTraffic(), ...expected })
})

test('a rate is per second', () => {
  expect(ratePerSecond(1_234, 2_000)).toBe(617)
})
