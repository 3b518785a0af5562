/**
 * Bytes that memberlist itself sent, of every kind: each is decoded to what its sender meant, and written again by our own
 * encoders to the very same bytes. Encrypted ones hold a random nonce, so of those the contents are compared.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { aesGcm } from '../../adapters/node/aes-gcm.ts'
import { fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { decodePacket, encodeCompound, encodeMessage } from './codec.ts'
import { openPacket, openStream } from './encryption.ts'
import { encodeLzw } from './lzw-encode.ts'
import { defaultStreamLimits } from './limits.ts'
import type { PacketMessage, StreamMessage } from './messages.ts'
import { createProtection } from './protection.ts'
import type { Protection } from './protection.ts'
import { createStreamDecoder, encodePushPull, encodeStreamError, encodeStreamUser } from './stream-codec.ts'
import { wrapPacket, wrapStream } from './wrap.ts'

interface Sample {
  readonly name: string
  readonly hex: string
  readonly key?: string
}

const { packets, streams } = JSON.parse(readFileSync(new URL('data/memberlist.json', import.meta.url), 'utf8')) as {
  readonly packets: readonly Sample[]
  readonly streams: readonly Sample[]
}

const at = (last: number) => ({ ip: `127.0.0.${last}`, port: 17_946 })
const addresses = { alpha: at(31), beta: at(32), gamma: at(33) } as const
const isPeer = (name: string): name is keyof typeof addresses => Object.hasOwn(addresses, name)
const versions = Uint8Array.of(1, 5, 2, 1, 1, 1)
const [first, second] = [utf8('first '.repeat(20)), utf8('second '.repeat(20))]
const [byTcp, again] = [utf8('told over TCP '.repeat(8)), utf8('told again '.repeat(8))]

function protectionOf({ key }: Sample): Protection {
  const keyring = key === undefined ? [] : [fromHex(key)]
  return createProtection('', { cipher: aesGcm(), keyring, verifyIncoming: true, verifyOutgoing: true })
}

/** What the capture made the peers say, apart from their counters. */
function expectMeant(message: PacketMessage | StreamMessage): void {
  switch (message.kind) {
    case 'ping':
    case 'indirectPing': {
      expect(isPeer(message.node)).toBe(true)
      const source = message.source?.node ?? ''
      expect(message.source?.address).toEqual(isPeer(source) ? addresses[source] : undefined)
      if (message.kind === 'indirectPing')
        expect([message.wantsNack, message.target]).toEqual([
          true,
          isPeer(message.node) ? addresses[message.node] : undefined,
        ])
      return
    }
    case 'ack':
      return expect(message.payload).toEqual(new Uint8Array())
    case 'nack':
      return expect(message.seqNo).toBeGreaterThan(0)
    case 'suspect':
    case 'dead':
      expect(['alpha', 'beta', 'gamma']).toContain(message.node)
      return expect(['alpha', 'beta', 'gamma']).toContain(message.from)
    case 'alive':
      expect(message.address).toEqual(isPeer(message.node) ? addresses[message.node] : undefined)
      expect(message.versions).toEqual(versions)
      return expect([`meta of ${message.node}`, 'newer meta of alpha'].map(text => toHex(utf8(text)))).toContain(
        toHex(message.meta),
      )
    case 'user':
      return expect([first, second, again].map(toHex)).toContain(toHex(message.bytes))
    case 'streamUser':
      return expect(message.bytes).toEqual(byTcp)
    case 'error':
      return expect(message.text).toBe('Remote state is encrypted and encryption is not configured')
    case 'pushPull': {
      // Both sides speak before they hear the other, so each knows nobody but itself.
      const [name = ''] = message.nodes.map(node => node.name)
      expect(message.userState).toEqual(utf8(`state of ${name}`))
      expect(message.nodes).toMatchObject([
        { address: isPeer(name) && addresses[name], incarnation: 1, status: 'alive', meta: utf8(`meta of ${name}`) },
      ])
    }
  }
}

/** As the name of the sample tells it. */
function kindsIn({ name }: Sample): readonly string[] {
  return (name.split(', ')[0] ?? '').split(' and ')
}

function encodeStream(message: StreamMessage): Uint8Array {
  if (message.kind === 'pushPull') return encodePushPull(message)
  if (message.kind === 'streamUser') return encodeStreamUser(message.bytes)
  return message.kind === 'error' ? encodeStreamError(message.text) : encodeMessage(message)
}

describe.each(packets)('packet: $name', sample => {
  const bytes = fromHex(sample.hex)
  const protection = protectionOf(sample)
  const { messages, refusals } = decodePacket(bytes, protection)

  test('is decoded to what was meant', () => {
    expect(refusals).toEqual([])
    expect(messages.map(({ kind }) => kind)).toEqual(kindsIn(sample))
    for (const message of messages) expectMeant(message)
  })

  test('is written again byte for byte', () => {
    const [only] = messages
    const parts = messages.map(encodeMessage)
    const plain = messages.length === 1 && only !== undefined ? encodeMessage(only) : encodeCompound(parts)
    const compress = sample.name.includes('compressed')
    const checksum = sample.name.includes('checksum')
    if (sample.key === undefined)
      expect(toHex(wrapPacket(plain, { protection: createProtection(), compress, checksum }))).toBe(sample.hex)
    else expect(openPacket(bytes, protection)).toEqual({ ok: true, value: checkedLike(bytes, protection, plain) })
  })

  test('without its key nothing comes out of it', () => {
    const { messages: read } = decodePacket(bytes)
    expect(read.length).toBe(sample.key === undefined ? messages.length : 0)
  })
})

/** Gossip to a known member has its checksum inside the encryption. */
function checkedLike(bytes: Uint8Array, protection: Protection, plain: Uint8Array): Uint8Array {
  const opened = openPacket(bytes, protection)
  const checksum = opened.ok && opened.value[0] === 12
  return wrapPacket(plain, { protection: createProtection(), compress: false, checksum })
}

describe.each(streams)('stream: $name', sample => {
  const bytes = fromHex(sample.hex)
  const protection = protectionOf(sample)

  test('is decoded to what was meant, however it is cut', () => {
    for (const step of [bytes.length, 1, 7]) {
      const message = decodeStream(bytes, protection, step)
      expect(message.kind).toBe(kindsIn(sample)[0]?.split(' ')[0])
      if (message.kind === 'pushPull') expect(message.join).toBe(sample.name.includes('joining'))
      expectMeant(message)
    }
  })

  test('is written again byte for byte', () => {
    const plain = encodeStream(decodeStream(bytes, protection, bytes.length))
    const compress = sample.name.includes('compressed')
    // They compress a stream even when it grows by that; we do not, but pack what is in it in the same way.
    if (compress && bytes.length >= plain.length) expect(sample.hex.endsWith(toHex(encodeLzw(plain)))).toBe(true)
    else if (sample.key === undefined)
      expect(toHex(wrapStream(plain, 'opener', { protection: createProtection(), compress }))).toBe(sample.hex)
    else expect(openStream(bytes, protection)).toEqual({ ok: true, value: plain })
  })
})

function decodeStream(bytes: Uint8Array, protection: Protection, step: number): StreamMessage {
  const decoder = createStreamDecoder(defaultStreamLimits, protection)
  for (let offset = 0; offset < bytes.length; offset += step) {
    const result = decoder.push(bytes.subarray(offset, offset + step))
    if (!result.ok) throw new Error(result.error.detail)
    if (result.value !== undefined) return result.value
  }
  throw new Error('the stream ended before its message')
}
