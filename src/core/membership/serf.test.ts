/** Bytes that a real serf agent sent, decoded and, where no compression is in the way, written again byte for byte. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { addCrc, decodePacket, encodeCompound, encodeMessage } from './codec.ts'
import type { NodeState, PacketMessage, StreamMessage } from './messages.ts'
import { createStreamDecoder, encodePushPull } from './stream-codec.ts'

interface Sample {
  readonly name: string
  readonly hex: string
}

const samples = JSON.parse(readFileSync(new URL('data/serf.json', import.meta.url), 'utf8')) as {
  readonly packets: readonly Sample[]
  readonly streams: readonly Sample[]
}

function sample(list: readonly Sample[], name: string): Uint8Array {
  const found = list.find(item => item.name === name)
  if (found === undefined) throw new Error(`no sample named ${name}`)
  return fromHex(found.hex)
}

const longName = 'node-with-a-name-of-more-than-thirty-two-characters'
const at = (ip: string) => ({ ip, port: 17_946 })
const alpha = { address: at('127.0.0.21'), node: 'alpha' }
const none = new Uint8Array()
const suspected = (node: string, from: string): PacketMessage => ({ kind: 'suspect', incarnation: 1, node, from })

/** Name, messages, and how we would wrap them the same way; absent where we do not compress. */
const packets: readonly (readonly [
  string,
  readonly PacketMessage[],
  ((parts: readonly Uint8Array[]) => Uint8Array)?,
])[] = [
  ['ping from alpha', [{ kind: 'ping', seqNo: 4, node: 'capture', source: alpha }], plain],
  [
    'ping from a node with a long name',
    [{ kind: 'ping', seqNo: 4, node: 'capture', source: { address: at('127.0.0.22'), node: longName } }],
    plain,
  ],
  [
    'indirect ping',
    [{ kind: 'indirectPing', seqNo: 9, target: at('127.0.0.22'), node: longName, wantsNack: true, source: alpha }],
    plain,
  ],
  ['ack', [{ kind: 'ack', seqNo: 502, payload: none }], plain],
  ['nack', [{ kind: 'nack', seqNo: 501 }], plain],
  [
    'checksum around alive',
    [
      {
        kind: 'alive',
        incarnation: 1,
        node: 'capture',
        address: at('127.0.0.31'),
        meta: none,
        versions: Uint8Array.of(1, 5, 2, 2, 5, 4),
      },
    ],
    checked,
  ],
  ['checksum around suspect', [suspected(longName, 'alpha')], checked],
  ['checksum around dead', [{ kind: 'dead', incarnation: 1, node: 'plain', from: 'plain' }], checked],
  [
    'compound of ping and suspect',
    [{ kind: 'ping', seqNo: 10, node: 'capture', source: alpha }, suspected(longName, 'alpha')],
    encodeCompound,
  ],
  [
    'checksum around compound of ping and suspect',
    [{ kind: 'ping', seqNo: 32, node: 'capture', source: alpha }, suspected('capture', 'alpha')],
    parts => addCrc(encodeCompound(parts)),
  ],
  [
    'checksum around compressed compound',
    [
      { kind: 'ping', seqNo: 18, node: 'capture', source: { address: at('127.0.0.22'), node: longName } },
      suspected('capture', longName),
    ],
  ],
  [
    'compressed compound of indirect ping and suspect',
    [
      { kind: 'indirectPing', seqNo: 13, target: at('127.0.0.22'), node: longName, wantsNack: true, source: alpha },
      suspected(longName, 'plain'),
    ],
  ],
]

describe('packets', () => {
  for (const [name, messages, wrap] of packets) {
    test(name, () => {
      const bytes = sample(samples.packets, name)
      expect(decodePacket(bytes)).toEqual({ messages, refusals: [] })
      if (wrap !== undefined) expect(toHex(wrap(messages.map(encodeMessage)))).toBe(toHex(bytes))
    })
  }

  test('an event of serf is a user message, its bytes untouched', () => {
    const { messages, refusals } = decodePacket(sample(samples.packets, 'checksum around user'))
    expect(refusals).toEqual([])
    const bytes = messages[0]?.kind === 'user' ? messages[0].bytes : none
    expect(toHex(bytes)).toContain(toHex(utf8('payload of the event')))
    expect(toHex(addCrc(encodeMessage({ kind: 'user', bytes })))).toBe(
      toHex(sample(samples.packets, 'checksum around user')),
    )
  })

  test('an encrypted packet is recognised', () => {
    expect(decodePacket(sample(samples.packets, 'encrypted'))).toMatchObject({
      messages: [],
      refusals: [{ reason: 'encrypted' }],
    })
  })

  test.each(samples.packets)(
    'no prefix and no flipped bit of "$name" makes more messages than there were',
    ({ hex }) => {
      const whole = fromHex(hex)
      const count = Math.max(1, decodePacket(whole).messages.length)
      for (let size = 0; size < whole.length; size++) {
        expect(decodePacket(whole.subarray(0, size)).messages.length).toBeLessThanOrEqual(count)
      }
      for (let bit = 0; bit < 8 * whole.length; bit++) {
        const flipped = whole.slice()
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(decodePacket(flipped).messages.length).toBeLessThanOrEqual(count)
      }
    },
  )
})

describe('streams', () => {
  const serfNode = (name: string, ip: string, metaHex = 'ff80'): NodeState => ({
    name,
    address: at(ip),
    meta: fromHex(metaHex),
    incarnation: 1,
    status: 'alive',
    versions: Uint8Array.of(1, 5, 2, 2, 5, 5),
  })
  const three = [
    serfNode('alpha', '127.0.0.21', 'ff82a4726f6c65a3776562a47a6f6e65a26575'),
    serfNode(longName, '127.0.0.22'),
    serfNode('plain', '127.0.0.23'),
  ]

  test.each([
    ['push/pull, plain', false, three],
    ['push/pull, compressed', true, three],
    ['push/pull, compressed, from an IPv6 node', false, [serfNode('six', '::1')]],
  ])('%s', (name, join, nodes) => {
    const message = decodeWhole(name)
    if (message?.kind !== 'pushPull') throw new Error(`not a push/pull: ${message?.kind}`)
    expect(message.join).toBe(join)
    expect([...message.nodes].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(nodes)
    expect(toHex(message.userState)).toContain(toHex(utf8('LeftMembers')))
  })

  test('a plain push/pull is written again byte for byte', () => {
    const message = decodeWhole('push/pull, plain')
    if (message?.kind !== 'pushPull') throw new Error(`not a push/pull: ${message?.kind}`)
    expect(toHex(encodePushPull(message))).toBe(toHex(sample(samples.streams, 'push/pull, plain')))
  })

  test.each<readonly [string, StreamMessage]>([
    ['ack to a fallback ping, compressed', { kind: 'ack', seqNo: 77, payload: none }],
    ['fallback ping, compressed', { kind: 'ping', seqNo: 30, node: 'capture', source: alpha }],
  ])('%s', (name, message) => {
    expect(decodeWhole(name)).toEqual(message)
  })

  test('an encrypted stream is refused at its first byte', () => {
    const decoder = createStreamDecoder()
    expect(decoder.push(sample(samples.streams, 'encrypted').subarray(0, 1))).toMatchObject({
      ok: false,
      error: { reason: 'encrypted' },
    })
  })

  function decodeWhole(name: string): StreamMessage | undefined {
    const decoder = createStreamDecoder()
    const result = decoder.push(sample(samples.streams, name))
    if (!result.ok) throw new Error(result.error.detail)
    expect(decoder.skipped).toEqual([])
    return result.value
  }
})

function plain(parts: readonly Uint8Array[]): Uint8Array {
  return parts[0] ?? none
}

function checked(parts: readonly Uint8Array[]): Uint8Array {
  return addCrc(plain(parts))
}
