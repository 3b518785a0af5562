/** Packets and streams of a machine that has a label and keys, in both directions. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex, utf8 } from '../../kernel/bytes.ts'
import { InvariantViolation } from '../../kernel/invariant.ts'
import { addressOf, anAlive, membershipLab, outputsOf } from '../../testing/membership-lab.ts'
import type { LabOptions, MembershipLab } from '../../testing/membership-lab.ts'
import { anyPacketMessage, anyPushPull } from '../../testing/message-arbitraries.ts'
import { aGossipKey, aSecurity, createSimCipher } from '../../testing/sim-cipher.ts'
import { decodePacket, encodeCompound, encodeMessage } from './codec.ts'
import { compressed } from './compression.ts'
import { defaultStreamLimits } from './limits.ts'
import type { PacketMessage, Refusal, StreamMessage } from './messages.ts'
import { membershipProfiles } from './profiles.ts'
import { createProtection } from './protection.ts'
import type { Protection } from './protection.ts'
import { broadcastBytesMax } from './send.ts'
import { createStreamDecoder, encodePushPull, encodeStreamUser } from './stream-codec.ts'
import type { Output } from './types.ts'
import { wrapPacket, wrapStream } from './wrap.ts'

const [first, second] = [aGossipKey(1), aGossipKey(2)]
const sealed = createProtection('blue', aSecurity([first]))
const hello = encodeStreamUser(utf8('hello'))
const peer = addressOf('m1')

const protections: readonly (readonly [string, Protection])[] = [
  ['nothing', createProtection()],
  ['a label', createProtection('blue')],
  ['keys', createProtection('', aSecurity([first]))],
  ['a label and keys', sealed],
]

describe.each(protections)('with %s around it', (_, protection) => {
  test('any handful of messages comes back from a packet', () => {
    const messages = fc.array(anyPacketMessage, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(messages, fc.boolean(), fc.boolean(), (told, compress, checksum) => {
        const packet = wrapPacket(encodeCompound(told.map(encodeMessage)), { protection, compress, checksum })
        expect(decodePacket(packet, protection)).toEqual({ messages: told, refusals: [] })
      }),
    )
  })

  test('any push/pull comes back from a stream in chunks of any size, in both directions', () => {
    const side = fc.constantFrom('opener' as const, 'answerer' as const)
    fc.assert(
      fc.property(anyPushPull, fc.integer({ min: 1, max: 300 }), fc.boolean(), side, (told, size, compress, from) => {
        const bytes = wrapStream(encodePushPull(told), from, { protection, compress })
        const decoder = createStreamDecoder(defaultStreamLimits, protection, from)
        const answers: unknown[] = []
        for (let at = 0; at < bytes.length; at += size) answers.push(decoder.push(bytes.subarray(at, at + size)))
        expect(answers.pop()).toEqual({ ok: true, value: told })
        expect(answers.filter(answer => answer !== undefined)).toEqual(
          answers.map(() => ({ ok: true, value: undefined })),
        )
      }),
      { numRuns: 30 },
    )
  })
})

test('compression is left away where it would not pay', () => {
  const noise = Uint8Array.from({ length: 500 }, (_, i) => (i * i * 31 + (i >> 3)) & 0xff)
  expect(compressed(noise)).toBe(noise)
  expect(compressed(new Uint8Array(500)).length).toBeLessThan(100)
})

describe('streams that are refused, and why', () => {
  const limits = { ...defaultStreamLimits, streamBytesMax: 10_000 }
  const wrapping = (protection: Protection) => ({ protection, compress: true })
  const other = createProtection('blue', aSecurity([second]))
  const inClear = wrapStream(hello, 'opener', wrapping(createProtection('blue')))
  const whole = wrapStream(hello, 'opener', wrapping(sealed))
  const told = (hex: string): Uint8Array => concatBytes([fromHex(`f404626c7565 0a${hex}`), new Uint8Array(100)])
  const bomb = compressed(concatBytes([fromHex('08'), new Uint8Array(20_000)]))

  test.each<readonly [string, Uint8Array, Protection, Refusal['reason']]>([
    ['in clear, when we have keys', inClear, sealed, 'plaintext'],
    ['sealed, when we have no keys', whole, createProtection('blue'), 'encrypted'],
    ['of another key', wrapStream(hello, 'opener', wrapping(other)), sealed, 'badKey'],
    ['of another key, while keys are introduced', whole, introducing(second), 'badKey'],
    ['of another label', whole, createProtection('navy', aSecurity([first])), 'wrongLabel'],
    ['without a label', wrapStream(hello, 'answerer', wrapping(sealed)), sealed, 'wrongLabel'],
    ['with a label, when we have none', whole, createProtection('', aSecurity([first])), 'labelled'],
    ['of a length below none', told('ffffffff'), sealed, 'tooLarge'],
    ['of a length beyond the limit', told('00002710'), sealed, 'tooLarge'],
    ['too short for a nonce and a tag', told('0000001c'), sealed, 'malformed'],
    ['of an unknown version', told('0000001d02'), sealed, 'malformed'],
    ['whose inside ends early', wrapStream(hello.subarray(0, -1), 'opener', wrapping(sealed)), sealed, 'malformed'],
    ['with nothing inside', wrapStream(new Uint8Array(0), 'opener', wrapping(sealed)), sealed, 'malformed'],
    ['with a bomb inside', wrapStream(bomb, 'opener', wrapping(sealed)), sealed, 'tooLarge'],
    ['sealed twice', wrapStream(inside(hello, sealed), 'opener', wrapping(sealed)), sealed, 'unknownType'],
  ])('%s', (_, bytes, protection, reason) => {
    for (const size of [bytes.length, 1]) {
      const decoder = createStreamDecoder(limits, protection)
      let answer = decoder.push(new Uint8Array(0))
      for (let at = 0; at < bytes.length && answer.ok; at += size) answer = decoder.push(bytes.subarray(at, at + size))
      expect(answer).toMatchObject({ ok: false, error: { reason } })
    }
  })

  test('a length beyond the limit is refused before anything of it has come', () => {
    const decoder = createStreamDecoder(limits, sealed)
    expect(decoder.push(told('00002710').subarray(0, 10)).ok).toBe(true)
    expect(decoder.push(told('00002710').subarray(10, 11))).toMatchObject({ error: { reason: 'tooLarge' } })
  })

  test('no stream with a changed bit is read', () => {
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const changed = whole.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const answer = createStreamDecoder(limits, sealed).push(changed)
      expect(answer.ok ? answer.value : undefined).toBeUndefined()
    }
  })

  test('in clear, while keys are introduced, it is read', () => {
    expect(createStreamDecoder(limits, introducing(first)).push(inClear)).toMatchObject({
      value: { kind: 'streamUser' },
    })
  })
})

test('no packet with a changed bit is heard', () => {
  const packet = wrapPacket(encodeMessage(anAlive()), { protection: sealed, compress: false, checksum: true })
  expect(decodePacket(packet, sealed).messages).toHaveLength(1)
  for (let bit = 0; bit < 8 * packet.length; bit++) {
    const changed = packet.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const { messages, refusals } = decodePacket(changed, sealed)
    expect(messages).toEqual([])
    expect(refusals).toHaveLength(1)
  }
})

test('a bomb inside an encrypted packet is refused as one in clear is', () => {
  const bomb = compressed(encodeMessage({ kind: 'user', bytes: new Uint8Array(70_000) }))
  expect(bomb.length).toBeLessThan(1_000)
  const packet = wrapPacket(bomb, { protection: sealed, compress: false, checksum: true })
  expect(decodePacket(packet, sealed)).toMatchObject({ messages: [], refusals: [{ reason: 'tooLarge' }] })
})

describe('a machine', () => {
  test('counts what it refuses by its reason', () => {
    const lab = guarded()
    const packet = encodeMessage({ kind: 'nack', seqNo: 1 })
    const outputs = lab.feed({ kind: 'packetReceived', from: peer, bytes: packet })
    expect(outputsOf(outputs, 'refused')).toMatchObject([{ from: peer, reason: 'wrongLabel' }])
  })

  test('compresses packets only when told to', () => {
    const message = encodeMessage({ kind: 'user', bytes: new Uint8Array(500) })
    const packetOf = (compressPackets: boolean): number => {
      const lab = membershipLab({ knows: ['m1'], config: { compressPackets } })
      lab.feed({ kind: 'broadcast', name: 'news', message: message.subarray(1) })
      return Math.max(...outputsOf(lab.advance(1_000), 'sendPacket').map(({ bytes }) => bytes.length))
    }
    expect(packetOf(false)).toBeGreaterThan(500)
    expect(packetOf(true)).toBeLessThan(300)
  })

  test('speaks with its new primary at once, and still hears the old key', () => {
    const lab = guarded()
    hear(lab, anAlive(), sealed)
    lab.feed({ kind: 'keyringChanged', keyring: [second, first] })
    const pings = outputsOf(lab.advance(1_000), 'sendPacket').map(({ bytes }) => bytes)
    expect(pings.length).toBeGreaterThan(0)
    for (const bytes of pings) {
      expect(decodePacket(bytes, createProtection('blue', aSecurity([second]))).refusals).toEqual([])
      expect(decodePacket(bytes, sealed).refusals).toMatchObject([{ reason: 'badKey' }])
    }
    hear(lab, anAlive({ node: 'm2' }), sealed)
    expect(lab.member('m2')?.status).toBe('alive')
  })

  test('ends a stream with the keys it began with', () => {
    const lab = guarded()
    const opened = lab.feed({ kind: 'join', addresses: [peer] })
    const stream = outputsOf(opened, 'dialStream')[0]?.stream ?? ''
    lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: peer })
    lab.feed({ kind: 'keyringChanged', keyring: [second] })

    const [state] = outputsOf(lab.feed({ kind: 'streamConnected', stream }), 'writeStream')
    expect(read(state?.bytes, sealed)).toMatchObject({ kind: 'pushPull', join: true })
    const bytes = wrapStream(hello, 'opener', { protection: sealed, compress: true })
    expect(outputsOf(lab.feed({ kind: 'streamData', stream: 'in-1', bytes }), 'userMessage')).toHaveLength(1)

    lab.feed({ kind: 'streamAccepted', stream: 'in-2', from: peer })
    const late = lab.feed({ kind: 'streamData', stream: 'in-2', bytes })
    expect(outputsOf(late, 'refused')).toMatchObject([{ reason: 'badKey' }])
    expect(outputsOf(late, 'closeStream')).toHaveLength(1)
  })

  test('answers a stream without a label of its own, its label still vouched for', () => {
    const lab = guarded()
    lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: peer })
    const push = encodePushPull({ join: true, nodes: [], userState: new Uint8Array(0) })
    const bytes = wrapStream(push, 'opener', { protection: sealed, compress: true })
    const [answer] = outputsOf(lab.feed({ kind: 'streamData', stream: 'in-1', bytes }), 'writeStream')
    expect(answer?.bytes[0]).toBe(10)
    const decoder = createStreamDecoder(defaultStreamLimits, sealed, 'answerer')
    expect(decoder.push(answer?.bytes ?? new Uint8Array(0))).toMatchObject({ value: { kind: 'pushPull' } })
    const elsewhere = createStreamDecoder(defaultStreamLimits, createProtection('', aSecurity([first])), 'answerer')
    expect(elsewhere.push(answer?.bytes ?? new Uint8Array(0))).toMatchObject({ error: { reason: 'badKey' } })
  })

  test('takes keys before it starts', () => {
    const options = { label: 'blue', security: aSecurity([]) }
    const lab = membershipLab(options)
    lab.feed({ kind: 'keyringChanged', keyring: [first] })
    hear(lab, anAlive(), sealed)
    expect(lab.member('m1')?.status).toBe('alive')
  })

  test('given keys without a cipher is a bug of ours', () => {
    expect(() => membershipLab().feed({ kind: 'keyringChanged', keyring: [first] })).toThrow(InvariantViolation)
  })
})

describe('the budget of a packet', () => {
  const label = 'l'.repeat(255)
  const protection = createProtection(label, aSecurity([first]))
  const config = membershipProfiles.tailnet
  const settings = { name: 'self', address: peer, meta: new Uint8Array(0), config, label, security: aSecurity([first]) }

  test('a label takes its share of what the application may broadcast, and so does a cipher', () => {
    expect(broadcastBytesMax(settings)).toBe(1_200 - 257 - 29 - 5 - 2 - 2 - 1)
    expect(broadcastBytesMax({ ...settings, label: '' })).toBe(config.userBroadcastMaxBytes)
  })

  test.each([
    ['before there are keys', []],
    ['with keys', [first]],
  ])('holds with the longest label, full of news, %s', (_, keyring) => {
    const lab = guarded({ label, security: aSecurity(keyring) })
    const ours = createProtection(label, aSecurity(keyring))
    const sizes: number[] = []
    const told = new Set<string>()
    for (let i = 0; i < 30; i++) {
      hear(lab, anAlive({ node: `m${i}`.padEnd(128, '-'), meta: new Uint8Array(17 * i) }), ours)
      const bytes = broadcastBytesMax(settings) - 29 * i
      lab.feed({ kind: 'broadcast', name: `news ${i}`, message: new Uint8Array(bytes).fill(i) })
    }
    for (const { bytes } of outputsOf(lab.advance(60_000), 'sendPacket')) {
      sizes.push(bytes.length)
      for (const message of decodePacket(bytes, ours).messages)
        if (message.kind === 'user') told.add(`${message.bytes[0]}`)
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(config.packetBudgetBytes)
    expect(Math.max(...sizes)).toBeGreaterThan(config.packetBudgetBytes - 40)
    expect(told.size).toBe(30)
  })

  test('news of the longest kind fit beside the longest label, and a smaller packet is a bug of ours', () => {
    const node = { name: 'n'.repeat(128), address: { ip: '2001:db8::1', port: 65_535 }, meta: new Uint8Array(512) }
    const lab = guarded({ label, security: aSecurity([first]) })
    hear(
      lab,
      { ...anAlive({ node: node.name, meta: node.meta, incarnation: 0xffff_ffff }), address: node.address },
      protection,
    )
    expect(lab.member(node.name)?.status).toBe('alive')
    const sent = outputsOf(lab.advance(5_000), 'sendPacket').flatMap(
      ({ bytes }) => decodePacket(bytes, protection).messages,
    )
    expect(sent.filter(message => message.kind === 'alive' && message.node === node.name)).not.toEqual([])
    expect(() => guarded({ label, config: { packetBudgetBytes: 1_000 } })).toThrow(InvariantViolation)
  })
})

function guarded(over: LabOptions = {}): MembershipLab {
  return membershipLab({ label: 'blue', security: aSecurity([first]), ...over })
}

function introducing(key: Uint8Array): Protection {
  return createProtection('blue', aSecurity([key], { cipher: createSimCipher(), verifyIncoming: false }))
}

function inside(message: Uint8Array, protection: Protection): Uint8Array {
  return wrapStream(message, 'answerer', { protection, compress: false })
}

function hear(lab: MembershipLab, message: PacketMessage, protection: Protection): readonly Output[] {
  const bytes = wrapPacket(encodeMessage(message), { protection, compress: false, checksum: true })
  return lab.feed({ kind: 'packetReceived', from: peer, bytes })
}

function read(bytes: Uint8Array = new Uint8Array(0), protection: Protection): StreamMessage | undefined {
  const answer = createStreamDecoder(defaultStreamLimits, protection).push(bytes)
  return answer.ok ? answer.value : undefined
}
