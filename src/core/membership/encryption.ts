/**
 * Encryption as it lies on the wire: a payload is `version u8 | nonce 12 | ciphertext | tag 16`. A packet is a payload and
 * no more, its label authenticated with it. A stream is `0a | length u32 | payload`, and both those five bytes and the label
 * are authenticated. Version 1 is written and read; version 0, which pads as PKCS #7, comes from peers of protocol 1.
 * Must not know what is inside.
 */
import { concatBytes } from '../../kernel/bytes.ts'
import { invariant } from '../../kernel/invariant.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { Cipher, GossipKey, Security } from './cipher.ts'
import { messageType } from './messages.ts'
import type { Refusal } from './messages.ts'
import type { Protection } from './protection.ts'

/** Version, nonce and tag: what it adds, and no payload is shorter. */
export const encryptionBytes = 1 + 12 + 16

/** Type and length of an encrypted stream. */
export const streamHeaderBytes = 5

const version = 1
const paddedVersion = 0
const paddingBlockBytes = 16

/** Encrypts when there is a key and nobody has asked for clear text. */
export function sealPacket(plain: Uint8Array, { label, security }: Protection): Uint8Array {
  const sealing = sealingKey(security)
  return sealing === undefined ? plain : sealPayload(plain, sealing, label)
}

export function sealStream(plain: Uint8Array, { label, security }: Protection): Uint8Array {
  const sealing = sealingKey(security)
  if (sealing === undefined) return plain
  const header = new Uint8Array(streamHeaderBytes)
  const view = new DataView(header.buffer)
  view.setUint8(0, messageType.encrypted)
  view.setUint32(1, encryptionBytes + plain.length)
  return concatBytes([header, sealPayload(plain, sealing, concatBytes([header, label]))])
}

/** Bytes in clear pass when we have no key, or when keys are only being introduced. */
export function openPacket(bytes: Uint8Array, { label, security }: Protection): Result<Uint8Array, Refusal> {
  const seemsEncrypted = isLikelyEncrypted(bytes)
  if (!hasKeys(security)) return seemsEncrypted ? fail(encrypted) : ok(bytes)
  const opened = openPayload(bytes, security, label)
  // What a key of ours opened was sealed, however its nonce makes it look from outside.
  if (opened.ok || opened.error === wrongPadding || seemsEncrypted) return opened
  return security.verifyIncoming ? fail(inClear) : ok(bytes)
}

/** Whether a stream that starts with this byte is to be opened, read as it is, or refused. */
export function isStreamSealed(type: number, { security }: Protection): Result<boolean, Refusal> {
  if (type === messageType.encrypted) return hasKeys(security) ? ok(true) : fail(encrypted)
  return hasKeys(security) && security.verifyIncoming ? fail(inClear) : ok(false)
}

/** The length of the payload as the header of an encrypted stream tells it. */
export function readStreamLength(header: Uint8Array, payloadBytesMax: number): Result<number, Refusal> {
  const told = new DataView(header.buffer, header.byteOffset, streamHeaderBytes).getUint32(1)
  if (told < encryptionBytes) return malformed(`an encrypted stream of ${told} bytes`)
  if (told <= payloadBytesMax) return ok(told)
  return fail({ reason: 'tooLarge', detail: `an encrypted stream of ${told} bytes told` })
}

/** Of an encrypted stream that has arrived whole, its header included. */
export function openStream(bytes: Uint8Array, { label, security }: Protection): Result<Uint8Array, Refusal> {
  if (!hasKeys(security)) return fail(encrypted)
  const associated = concatBytes([bytes.subarray(0, streamHeaderBytes), label])
  return openPayload(bytes.subarray(streamHeaderBytes), security, associated)
}

function hasKeys(security: Security | undefined): security is Security {
  return security !== undefined && security.keyring.length > 0
}

interface Sealing {
  readonly cipher: Cipher
  readonly key: GossipKey
}

function sealingKey(security: Security | undefined): Sealing | undefined {
  if (security === undefined || !security.verifyOutgoing) return undefined
  const [key] = security.keyring
  return key === undefined ? undefined : { cipher: security.cipher, key }
}

function sealPayload(plain: Uint8Array, { cipher, key }: Sealing, associated: Uint8Array): Uint8Array {
  const sealed = cipher.seal(key, plain, associated)
  invariant(sealed.length === encryptionBytes - 1 + plain.length, 'a cipher adds a nonce and a tag')
  return concatBytes([Uint8Array.of(version), sealed])
}

/** Tries every key, the primary first: while keys change hands peers may be one ahead of us or one behind. */
function openPayload(payload: Uint8Array, security: Security, associated: Uint8Array): Result<Uint8Array, Refusal> {
  const [told] = payload
  if (told !== version && told !== paddedVersion) return malformed(`encryption of version ${told} is unknown`)
  if (payload.length < encryptionBytes) return malformed('an encrypted payload cut off')
  const { cipher, keyring } = security
  for (const key of keyring) {
    const plain = cipher.open(key, payload.subarray(1), associated)
    if (plain !== undefined) return told === paddedVersion ? withoutPadding(plain) : ok(plain)
  }
  return fail({ reason: 'badKey', detail: `none of our ${keyring.length} keys opens it` })
}

/**
 * Every byte is checked, because nothing authenticates the version: somebody on the way could change a 1 into a 0, and
 * what happens to end like padding would be cut off.
 */
function withoutPadding(padded: Uint8Array): Result<Uint8Array, Refusal> {
  const size = padded[padded.length - 1] ?? 0
  const isWhole = padded.length % paddingBlockBytes === 0 && size >= 1 && size <= paddingBlockBytes
  if (!isWhole || padded.subarray(-size).some(byte => byte !== size)) return fail(wrongPadding)
  return ok(padded.subarray(0, -size))
}

/**
 * An encrypted packet has no type byte of its own: it starts with its version, 0 or 1, like a ping or an indirect ping.
 * Those go on with a map header and a field name, which a random nonce does less than once in a hundred times.
 */
function isLikelyEncrypted(bytes: Uint8Array): boolean {
  const [type = 0xff, header = 0, next = 0] = bytes
  if (type === messageType.encrypted) return true
  if (type > messageType.indirectPing || bytes.length < encryptionBytes) return false
  const isSmallMap = header >= 0x80 && header < 0x90 && ((next >= 0xa0 && next < 0xc0) || next === 0xd9)
  const isLargeMap = (header === 0xde || header === 0xdf) && next === 0
  return !isSmallMap && !isLargeMap
}

const wrongPadding: Refusal = { reason: 'malformed', detail: 'the padding is wrong' }

const encrypted: Refusal = {
  reason: 'encrypted',
  detail: 'is encrypted, so the peer has a gossip key; we have none',
}

const inClear: Refusal = {
  reason: 'plaintext',
  detail: 'is in clear, so the peer has no gossip key; we have one and refuse what is not encrypted',
}

function malformed(detail: string): { readonly ok: false; readonly error: Refusal } {
  return fail({ reason: 'malformed', detail })
}
