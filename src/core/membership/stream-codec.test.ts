import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { literalLzw } from '../../testing/literal-lzw.ts'
import { anyPushPull } from '../../testing/message-arbitraries.ts'
import { defaultStreamLimits } from './limits.ts'
import type { NodeState, Refusal, StreamMessage } from './messages.ts'
import { createWriter } from './msgpack-writer.ts'
import {
  createStreamDecoder,
  encodePushPull,
  encodeStreamAck,
  encodeStreamError,
  encodeStreamPing,
  encodeStreamUser,
} from './stream-codec.ts'
import { writeStruct } from './structs.ts'

const none = new Uint8Array()

function node(name: string): NodeState {
  const versions = Uint8Array.of(1, 5, 2, 1, 1, 1)
  return { name, address: { ip: '100.64.0.1', port: 7946 }, meta: none, incarnation: 1, status: 'alive', versions }
}

function struct(fields: Parameters<typeof writeStruct>[1]): Uint8Array {
  const writer = createWriter()
  writeStruct(writer, fields)
  return writer.finish()
}

function header(nodes: number, userStateBytes: number): Uint8Array {
  return concatBytes([
    Uint8Array.of(6),
    struct([
      ['Join', false],
      ['Nodes', nodes],
      ['UserStateLen', userStateBytes],
    ]),
  ])
}

function compressed(plain: Uint8Array): Uint8Array {
  const wrapper = struct([
    ['Algo', 0],
    ['Buf', literalLzw(plain)],
  ])
  return concatBytes([Uint8Array.of(9), wrapper])
}

/** The refusal of bytes that must be refused, whether they come at once or one by one. */
function refusalOf(bytes: Uint8Array, limits = defaultStreamLimits): Refusal['reason'] | 'waits' {
  const atOnce = createStreamDecoder(limits).push(bytes)
  const decoder = createStreamDecoder(limits)
  let oneByOne = decoder.push(none)
  for (const byte of bytes) oneByOne = decoder.push(Uint8Array.of(byte))
  expect(oneByOne.ok).toBe(atOnce.ok)
  if (atOnce.ok && atOnce.value !== undefined) throw new Error(`taken: ${atOnce.value.kind}`)
  return atOnce.ok ? 'waits' : atOnce.error.reason
}

const examples: readonly (readonly [StreamMessage, Uint8Array])[] = [
  [{ kind: 'ping', seqNo: 9, node: 'a' }, encodeStreamPing({ kind: 'ping', seqNo: 9, node: 'a' })],
  [{ kind: 'ack', seqNo: 9, payload: none }, encodeStreamAck({ kind: 'ack', seqNo: 9, payload: none })],
  [{ kind: 'streamUser', bytes: utf8('hello') }, encodeStreamUser(utf8('hello'))],
  [{ kind: 'streamUser', bytes: none }, encodeStreamUser(none)],
  [{ kind: 'error', text: 'no thanks' }, encodeStreamError('no thanks')],
  [
    { kind: 'pushPull', join: true, nodes: [node('a'), node('b')], userState: utf8('state') },
    encodePushPull({ join: true, nodes: [node('a'), node('b')], userState: utf8('state') }),
  ],
  [
    { kind: 'pushPull', join: false, nodes: [], userState: none },
    encodePushPull({ join: false, nodes: [], userState: none }),
  ],
]

describe('a message arrives whole, however it was cut', () => {
  const cases = examples.flatMap(([message, bytes]) => [
    { name: message.kind, message, bytes },
    { name: `compressed ${message.kind}`, message, bytes: compressed(bytes) },
  ])

  test.each(cases)('$name', ({ message, bytes }) => {
    for (let cut = 0; cut < bytes.length; cut += 3) {
      const decoder = createStreamDecoder()
      expect(decoder.push(bytes.subarray(0, cut))).toEqual({ ok: true, value: undefined })
      expect(decoder.push(bytes.subarray(cut))).toEqual({ ok: true, value: message })
    }
  })

  test.each(cases)('$name, byte by byte, and not before the last', ({ message, bytes }) => {
    const decoder = createStreamDecoder()
    const answers = Array.from(bytes, byte => decoder.push(Uint8Array.of(byte)))
    expect(answers.pop()).toEqual({ ok: true, value: message })
    expect(answers.every(answer => answer.ok && answer.value === undefined)).toBe(true)
  })
})

test('the headers are those of a Go peer', () => {
  expect(toHex(encodeStreamUser(utf8('hello')))).toBe(`0881aa${toHex(utf8('UserMsgLen'))}05${toHex(utf8('hello'))}`)
  expect(toHex(header(2, 590))).toBe(
    `0683a4${toHex(utf8('Join'))}c2a5${toHex(utf8('Nodes'))}02ac${toHex(utf8('UserStateLen'))}cd024e`,
  )
})

test('signed lengths of newer peers are understood', () => {
  const bytes = concatBytes([fromHex('0881aa'), utf8('UserMsgLen'), fromHex('d100c8'), new Uint8Array(200)])
  expect(createStreamDecoder().push(bytes)).toEqual({
    ok: true,
    value: { kind: 'streamUser', bytes: new Uint8Array(200) },
  })
})

test('what comes after the message is dropped', () => {
  const decoder = createStreamDecoder()
  expect(decoder.push(concatBytes([encodeStreamUser(utf8('a')), utf8('more')]))).toMatchObject({
    ok: true,
    value: { kind: 'streamUser' },
  })
  expect(decoder.push(utf8('and more'))).toEqual({ ok: true, value: undefined })
})

describe('what is refused, and why', () => {
  const small = { streamBytesMax: 1000, nodesMax: 2, userStateBytesMax: 100, userMessageBytesMax: 100 }
  test.each([
    ['a label', fromHex('f40161'), 'labelled'],
    ['encryption', fromHex('0a'), 'encrypted'],
    ['a type of no stream', fromHex('0480'), 'unknownType'],
    ['a type of no message', fromHex('63'), 'unknownType'],
    ['a header that is no map', fromHex('06c0'), 'malformed'],
    ['more nodes than the limit, before they come', header(3, 0), 'tooLarge'],
    ['more nodes than there are numbers', header(Number.MAX_SAFE_INTEGER, 0), 'tooLarge'],
    ['less than no nodes', header(-1, 0), 'malformed'],
    ['more state than the limit, before it comes', header(0, 101), 'tooLarge'],
    ['less than no state', header(0, -5), 'malformed'],
    ['a user message above the limit', concatBytes([fromHex('08'), struct([['UserMsgLen', 101]])]), 'tooLarge'],
    ['a user message of less than nothing', concatBytes([fromHex('08'), struct([['UserMsgLen', -1]])]), 'malformed'],
    ['a node that is no map', concatBytes([header(1, 0), fromHex('93')]), 'waits'],
    ['a node that is a number', concatBytes([header(1, 0), fromHex('07')]), 'malformed'],
    ['a field longer than any struct', concatBytes([header(1, 0), fromHex('81a158db00100000')]), 'tooLarge'],
    [
      'a struct of a thousand values',
      concatBytes([header(1, 0), fromHex(`81a158dc01f4${'c0'.repeat(500)}`)]),
      'tooLarge',
    ],
    ['compressed nothing', compressed(none), 'malformed'],
    ['compressed compression', compressed(compressed(encodeStreamUser(utf8('a')))), 'tooDeep'],
    ['a compressed stream cut off inside', compressed(encodeStreamUser(utf8('abc')).subarray(0, 12)), 'malformed'],
    ['a compressed stream above the limit', compressed(new Uint8Array(1001)), 'tooLarge'],
    ['an unknown compression', concatBytes([fromHex('09'), struct([['Algo', 7]])]), 'malformed'],
    ['a stream above the limit', concatBytes([header(2, 100), new Uint8Array(1000)]), 'tooLarge'],
  ] as const)('%s', (_, bytes, reason) => {
    expect(refusalOf(bytes, small)).toBe(reason)
  })

  test('a refusal is final', () => {
    const decoder = createStreamDecoder()
    const refusal = decoder.push(fromHex('63'))
    expect(decoder.push(encodeStreamUser(utf8('a')))).toEqual(refusal)
  })

  test('exactly the limits pass', () => {
    const push = encodePushPull({ join: false, nodes: [node('a'), node('b')], userState: new Uint8Array(100) })
    const decoder = createStreamDecoder({ ...small, streamBytesMax: push.length })
    expect(decoder.push(push)).toMatchObject({ ok: true, value: { kind: 'pushPull' } })
  })
})

test('a node we cannot hold is left out and reported, the others are kept', () => {
  const odd = [node('not a name'), { ...node('meta'), meta: new Uint8Array(513) }]
  const decoder = createStreamDecoder()
  const whole = encodePushPull({ join: false, nodes: [node('a'), ...odd, node('b')], userState: utf8('s') })
  expect(decoder.push(whole)).toEqual({
    ok: true,
    value: { kind: 'pushPull', join: false, nodes: [node('a'), node('b')], userState: utf8('s') },
  })
  expect(decoder.skipped.map(refusal => refusal.reason)).toEqual(['malformed', 'tooLarge'])
})

test('an unknown state is no node of ours', () => {
  const fields = struct([
    ['Addr', Uint8Array.of(10, 0, 0, 1)],
    ['Name', 'a'],
    ['State', 4],
  ])
  const decoder = createStreamDecoder()
  expect(decoder.push(concatBytes([header(1, 0), fields]))).toMatchObject({ ok: true, value: { nodes: [] } })
  expect(decoder.skipped).toMatchObject([{ reason: 'malformed' }])
})

test('a long stream in single bytes is read in time: work is linear, not quadratic', { timeout: 30_000 }, () => {
  // A decoder that parsed from the start with every byte would need minutes for these 120 000.
  const nodes = Array.from({ length: 900 }, (_, i) => node(`node-${i}`))
  const bytes = encodePushPull({ join: false, nodes, userState: new Uint8Array(50_000) })
  const decoder = createStreamDecoder()
  let answer = decoder.push(none)
  for (const byte of bytes) answer = decoder.push(Uint8Array.of(byte))
  const message = answer.ok ? answer.value : undefined
  expect(message?.kind === 'pushPull' && message.nodes.length).toBe(900)
})

test('any push/pull comes back as it was sent, in chunks of any size, compressed or not', () => {
  const chunkBytes = fc.integer({ min: 1, max: 400 })
  fc.assert(
    fc.property(anyPushPull, chunkBytes, fc.boolean(), (message, size, isCompressed) => {
      const plain = encodePushPull(message)
      const bytes = isCompressed ? compressed(plain) : plain
      const decoder = createStreamDecoder()
      let at = 0
      for (; at + size < bytes.length; at += size) {
        const answer = decoder.push(bytes.subarray(at, at + size))
        if (!answer.ok || answer.value !== undefined) throw new Error('did not wait for the end')
      }
      expect(decoder.push(bytes.subarray(at))).toEqual({ ok: true, value: message })
      expect(decoder.skipped).toEqual([])
    }),
    { numRuns: 60 },
  )
})
