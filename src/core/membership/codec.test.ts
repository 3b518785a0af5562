import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { InvariantViolation } from '../../kernel/invariant.ts'
import { literalLzw } from '../../testing/literal-lzw.ts'
import { anyPacketMessage } from '../../testing/message-arbitraries.ts'
import { addCrc, compoundPartsMax, decodePacket, encodeCompound, encodeMessage } from './codec.ts'
import { refusalsMax } from './limits.ts'
import type { Nack, PacketMessage } from './messages.ts'
import { createWriter } from './msgpack-writer.ts'
import { writeStruct } from './structs.ts'

const none = new Uint8Array()
const nack = (seqNo: number): Nack => ({ kind: 'nack', seqNo })
const packed = (seqNo: number): Uint8Array => encodeMessage(nack(seqNo))

/** ASCII stands for itself, `<..>` for hexadecimal. */
function wire(text: string): Uint8Array {
  const pieces = text.split(/<([^>]*)>/)
  return concatBytes(pieces.map((piece, index) => (index % 2 === 1 ? fromHex(piece) : utf8(piece))))
}

function struct(type: number, fields: Parameters<typeof writeStruct>[1]): Uint8Array {
  const writer = createWriter()
  writer.verbatim(Uint8Array.of(type))
  writeStruct(writer, fields)
  return writer.finish()
}

function compressed(plain: Uint8Array): Uint8Array {
  return struct(9, [
    ['Algo', 0],
    ['Buf', literalLzw(plain)],
  ])
}

describe('bytes seen on the wire of Go peers', () => {
  test.each<readonly [string, PacketMessage]>([
    [
      '<0085a4>Node<a3>js1<a5>SeqNo<03aa>SourceAddr<a47f00000caa>SourceNode<a2>n2<aa>SourcePort<cd1f0a>',
      {
        kind: 'ping',
        seqNo: 3,
        node: 'js1',
        source: { address: { ip: '127.0.0.12', port: 7946 }, node: 'n2' },
      },
    ],
    ['<0282a7>Payload<c0a5>SeqNo<cd01f6>', { kind: 'ack', seqNo: 502, payload: none }],
    ['<0b81a5>SeqNo<cd01f5>', nack(501)],
    [
      '<0486a4>Addr<a47f000029ab>Incarnation<01a4>Meta<c0a4>Node<a3>js1<a4>Port<cd1f0aa3>Vsn<a6010502020504>',
      {
        kind: 'alive',
        incarnation: 1,
        node: 'js1',
        address: { ip: '127.0.0.41', port: 7946 },
        meta: none,
        versions: Uint8Array.of(1, 5, 2, 2, 5, 4),
      },
    ],
    ['<0383a4>From<a1>a<ab>Incarnation<ceffffffffa4>Node<a1>b', suspect(0xffff_ffff)],
  ])('%s', (text, message) => {
    const bytes = wire(text)
    expect(decodePacket(bytes)).toEqual({ messages: [message], refusals: [] })
    expect(toHex(encodeMessage(message))).toBe(toHex(bytes))
  })
})

describe('other ways to say the same are understood', () => {
  test.each<readonly [string, string, PacketMessage]>([
    ['signed integers', '<0b81a5>SeqNo<d101f5>', nack(501)],
    ['64-bit integers', '<0b81a5>SeqNo<cf00000000000001f5>', nack(501)],
    ['text as str8', '<0381d904>Node<d901>b', { kind: 'suspect', incarnation: 0, node: 'b', from: '' }],
    ['bytes as bin', '<0281c407>Payload<c40101>', { kind: 'ack', seqNo: 0, payload: Uint8Array.of(1) }],
    ['bytes as an array', '<0281a7>Payload<920102>', { kind: 'ack', seqNo: 0, payload: Uint8Array.of(1, 2) }],
    ['an empty slice', '<0281a7>Payload<a0>', { kind: 'ack', seqNo: 0, payload: none }],
    ['a missing key is zero', '<0280>', { kind: 'ack', seqNo: 0, payload: none }],
    ['nil is zero', '<0b81a5>SeqNo<c0>', nack(0)],
    ['fields in another order', '<0282a5>SeqNo<07a7>Payload<c0>', { kind: 'ack', seqNo: 7, payload: none }],
    ['fields of a later version', '<0b83a1>X<93c0cb000000000000000081a1>a<90a1>Y<d40100a5>SeqNo<07>', nack(7)],
    ['a map with a long header', '<0bde0001a5>SeqNo<07>', nack(7)],
    ['bytes behind the message', '<0b81a5>SeqNo<0700ff>', nack(7)],
    [
      'a boolean as an integer',
      '<0183a4>Nack<01a6>Target<a40a000001a4>Port<07>',
      { kind: 'indirectPing', seqNo: 0, node: '', wantsNack: true, target: { ip: '10.0.0.1', port: 7 } },
    ],
  ])('%s', (_, text, message) => {
    expect(decodePacket(wire(text))).toEqual({ messages: [message], refusals: [] })
  })

  test('a port left out stays 0, versions left out stay none', () => {
    expect(decodePacket(wire('<0482a4>Addr<a40a000001a4>Node<a1>a')).messages).toEqual([
      {
        kind: 'alive',
        incarnation: 0,
        node: 'a',
        address: { ip: '10.0.0.1', port: 0 },
        meta: none,
        versions: none,
      },
    ])
  })

  test('an IPv4 address sent in sixteen bytes is the IPv4 address', () => {
    const [message] = decodePacket(wire('<0482a4>Addr<b000000000000000000000ffff0a000001a4>Node<a1>a')).messages
    expect(message).toMatchObject({ address: { ip: '10.0.0.1' } })
  })

  test('a source without a port cannot be answered and counts as none', () => {
    const [message] = decodePacket(wire('<0081aa>SourceAddr<a40a000001>')).messages
    expect(message).toEqual({ kind: 'ping', seqNo: 0, node: '' })
  })

  test('a source of a name we refuse is answered all the same', () => {
    const [message] = decodePacket(wire('<0083aa>SourceAddr<a40a000001aa>SourcePort<07aa>SourceNode<a3>a b')).messages
    expect(message).toMatchObject({ source: { address: { ip: '10.0.0.1', port: 7 }, node: '' } })
  })

  test('versions beyond the six known are cut off', () => {
    const [message] = decodePacket(wire('<0483a4>Addr<a40a000001a4>Node<a1>a<a3>Vsn<a70102030405060 7>')).messages
    expect(message).toMatchObject({ versions: Uint8Array.of(1, 2, 3, 4, 5, 6) })
  })
})

describe('what is refused, and why', () => {
  const longName = 'n'.repeat(129)
  test.each([
    ['a type of no message', '<63>', 'unknownType'],
    ['a push/pull in a packet', '<0680>', 'unknownType'],
    ['a label', '<f40161 0b80>', 'labelled'],
    ['an encrypted stream in a packet', '<0a00000000>', 'encrypted'],
    ['version and nonce where a ping would be', `<01${'5a'.repeat(40)}>`, 'encrypted'],
    ['a ping cut off', '<0085a4>Node<a3>js', 'malformed'],
    ['a short ping that is none', '<00c0>', 'malformed'],
    ['a struct that is no map', '<0b93010203>', 'malformed'],
    ['a key that is no text', '<0b810107>', 'malformed'],
    ['a number that is text', '<0b81a5>SeqNo<a1>7', 'malformed'],
    ['a number that is a fraction', '<0b81a5>SeqNo<ca3fc00000>', 'malformed'],
    ['a number below zero', '<0b81a5>SeqNo<ff>', 'malformed'],
    ['a number beyond 32 bits', '<0b81a5>SeqNo<cf0000000100000000>', 'malformed'],
    ['a boolean that is 2', '<0181a4>Nack<02>', 'malformed'],
    ['bytes that are an array of large numbers', '<0281a7>Payload<91cd0100>', null],
    ['bytes that are a number', '<0281a7>Payload<05>', 'malformed'],
    ['an address of five bytes', '<0482a4>Addr<a50a00000101a4>Node<a1>a', 'malformed'],
    ['no address', '<0481a4>Node<a1>a', 'malformed'],
    ['an alive without a name', '<0481a4>Addr<a40a000001>', 'malformed'],
    ['a name that is not UTF-8', '<0381a4>Node<a1ff>', 'malformed'],
    ['a name with a line break', '<0381a4>Node<a1 0a>', 'malformed'],
    ['a name that looks like a path', '<0381a4>Node<a3>a/b', 'malformed'],
    ['a name of 129 bytes', `<0381a4>Node<da0081>${longName}`, 'malformed'],
    ['a port beyond 16 bits', '<0483a4>Addr<a40a000001a4>Node<a1>a<a4>Port<ce00010000>', 'malformed'],
    ['metadata of 513 bytes', `<0483a4>Addr<a40a000001a4>Node<a1>a<a4>Meta<da0201${'00'.repeat(513)}>`, 'tooLarge'],
    ['a field nested too deep', '<0b81a1>X<9191919191c0>', 'tooDeep'],
    ['more values than any struct has', `<0b81a1>X<dc0190${'c0'.repeat(400)}>`, 'tooLarge'],
    ['a length beyond the packet', '<0281a7>Payload<dbffffffff00>', 'malformed'],
    ['a count beyond the packet', '<0bdfffffffff>', 'malformed'],
    ['a checksum cut off', '<0c0102>', 'malformed'],
    ['a checksum of other bytes', '<0c000000000b80>', 'badChecksum'],
    ['a checksum inside a checksum', toWire(addCrc(addCrc(packed(1)))), 'unknownType'],
    ['a compound without its count', '<07>', 'malformed'],
    ['a compound without its lengths', '<0702 0004>', 'malformed'],
    ['an empty part', '<0701 0000>', 'malformed'],
    ['a compression we do not know', '<0982a4>Algo<01a3>Buf<a101>', 'malformed'],
    ['compressed nothing', toWire(compressed(none)), 'malformed'],
    ['compression without data', '<0981a4>Algo<00>', 'malformed'],
  ] as const)('%s', (_, text, reason) => {
    const { messages, refusals } = decodePacket(wire(text))
    expect(refusals.map(refusal => refusal.reason)).toEqual(reason === null ? [] : [reason])
    expect(messages).toHaveLength(reason === null ? 1 : 0)
  })

  test('a packet larger than a datagram', () => {
    expect(decodePacket(new Uint8Array(65_537))).toMatchObject({ refusals: [{ reason: 'tooLarge' }] })
  })
})

test('an empty packet is nothing at all', () => {
  expect(decodePacket(none)).toEqual({ messages: [], refusals: [] })
})

describe('compounds', () => {
  test('hold their parts in order', () => {
    const bytes = encodeCompound([packed(1), packed(2)])
    expect(toHex(bytes)).toBe(`070200090009${toHex(packed(1))}${toHex(packed(2))}`)
    expect(decodePacket(bytes)).toEqual({ messages: [nack(1), nack(2)], refusals: [] })
  })

  test('deliver what is whole when the end was cut off', () => {
    const bytes = encodeCompound([packed(1), packed(2), packed(3)])
    const { messages, refusals } = decodePacket(bytes.subarray(0, bytes.length - 10))
    expect(messages).toEqual([nack(1)])
    expect(refusals).toEqual([{ reason: 'malformed', detail: 'compound cut off: 2 of 3 parts lost' }])
  })

  test('a bad part costs only itself', () => {
    const { messages, refusals } = decodePacket(encodeCompound([packed(1), Uint8Array.of(99), packed(2)]))
    expect(messages).toEqual([nack(1), nack(2)])
    expect(refusals).toMatchObject([{ reason: 'unknownType' }])
  })

  test('hold at most 255 parts', () => {
    const full = Array.from({ length: compoundPartsMax }, (_, seqNo) => packed(seqNo))
    expect(decodePacket(encodeCompound(full)).messages).toHaveLength(255)
    expect(() => encodeCompound([...full, packed(0)])).toThrow(InvariantViolation)
  })
})

describe('wrappers', () => {
  test('nest three deep inside a checksum', () => {
    const bytes = addCrc(compressed(encodeCompound([compressed(packed(1)), packed(2)])))
    expect(decodePacket(bytes)).toEqual({ messages: [nack(1), nack(2)], refusals: [] })
  })

  test('a fourth level is refused, its neighbours are not', () => {
    const deep = encodeCompound([encodeCompound([encodeCompound([compressed(packed(1)), packed(2)])])])
    const { messages, refusals } = decodePacket(deep)
    expect(messages).toEqual([nack(2)])
    expect(refusals).toMatchObject([{ reason: 'tooDeep' }])
  })

  test('all compressed parts of a packet share one limit', () => {
    const part = compressed(encodeMessage({ kind: 'user', bytes: new Uint8Array(10_000) }))
    const { messages, refusals } = decodePacket(encodeCompound([part, part, part, part, part]))
    expect(messages).toHaveLength(5)
    expect(refusals).toEqual([])
    const bomb = struct(9, [
      ['Algo', 0],
      ['Buf', zeroBomb()],
    ])
    const answer = decodePacket(encodeCompound([part, bomb, part, packed(1)]))
    expect(answer.messages.map(message => message.kind)).toEqual(['user', 'nack'])
    expect(answer.refusals).toMatchObject([{ reason: 'tooLarge' }, { reason: 'tooLarge' }])
  })

  test('many tiny compressed parts run into the limit too', () => {
    const parts = Array.from({ length: 200 }, (_, seqNo) => compressed(packed(seqNo)))
    const { messages, refusals } = decodePacket(encodeCompound(parts))
    expect(messages).toHaveLength(64)
    expect(new Set(refusals.map(refusal => refusal.reason))).toEqual(new Set(['tooLarge']))
  })
})

test('a packet of rubbish is told about a few times only', () => {
  const rubbish = encodeCompound(Array.from({ length: 255 }, () => none))
  const { messages, refusals } = decodePacket(encodeCompound([rubbish, rubbish, packed(1)]))
  expect(messages).toEqual([nack(1)])
  expect(refusals).toHaveLength(refusalsMax)
})

test('messages do not change with the buffer they came in', () => {
  const bytes = encodeMessage({ kind: 'user', bytes: utf8('keep me') })
  const { messages } = decodePacket(bytes)
  bytes.fill(0)
  expect(messages).toEqual([{ kind: 'user', bytes: utf8('keep me') }])
})

test('an address that is no IP literal is a bug of ours', () => {
  const target = { ip: 'node-a.example', port: 1 }
  expect(() => encodeMessage({ kind: 'indirectPing', seqNo: 1, target, node: 'a', wantsNack: false })).toThrow(
    InvariantViolation,
  )
})

test('every message comes back as it was sent', () => {
  fc.assert(
    fc.property(anyPacketMessage, message => {
      expect(decodePacket(encodeMessage(message))).toEqual({ messages: [message], refusals: [] })
    }),
    { numRuns: 200 },
  )
})

test('so does any handful of them in one packet, with a checksum or without', () => {
  fc.assert(
    fc.property(fc.array(anyPacketMessage, { maxLength: 6 }), fc.boolean(), (messages, withCrc) => {
      const compound = encodeCompound(messages.map(encodeMessage))
      expect(decodePacket(withCrc ? addCrc(compound) : compound)).toEqual({ messages, refusals: [] })
    }),
  )
})

function suspect(incarnation: number): PacketMessage {
  return { kind: 'suspect', incarnation, node: 'b', from: 'a' }
}

function toWire(bytes: Uint8Array): string {
  return `<${toHex(bytes)}>`
}

/** Every code repeats all that the one before it stood for and a byte more: 500 codes are 125 000 zeros. */
function zeroBomb(): Uint8Array {
  const bits: number[] = []
  let free = 257
  let width = 9
  for (const code of [0, ...Array.from({ length: 500 }, (_, i) => 258 + i)]) {
    for (let bit = 0; bit < width; bit++) bits.push((code >> bit) & 1)
    if (++free === 1 << width) width++
  }
  const octet = (at: number): number => bits.slice(at, at + 8).reduce((sum, bit, i) => sum | (bit << i), 0)
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) => octet(8 * i))
}
