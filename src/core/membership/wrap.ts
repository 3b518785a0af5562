/**
 * What can lie around messages, and in which order. A packet comes as label, encryption, checksum, then compressed and
 * compound in any nesting; a stream as label, encryption, compressed. Unwrapping is a list of layers, outermost first:
 * a layer that we learn to open replaces the one that refuses it, nothing else changes.
 * Must not know what the messages inside mean.
 */
import { concatBytes } from '../../kernel/bytes.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { crc32 } from './crc32.ts'
import { readStruct, uint8Max } from './fields.ts'
import type { Fields } from './fields.ts'
import { decodeLzw } from './lzw-decode.ts'
import { messageType } from './messages.ts'
import type { Refusal } from './messages.ts'

/** Opens its wrapper when it is there, passes other bytes through, or refuses. */
type Layer = (bytes: Uint8Array) => Result<Uint8Array, Refusal>

const packetLayers: readonly Layer[] = [refuseLabel, refuseEncryption, checkCrc]

/** Takes off what is only ever outermost on a packet. */
export function unwrapPacket(bytes: Uint8Array): Result<Uint8Array, Refusal> {
  let inner = bytes
  for (const layer of packetLayers) {
    const opened = layer(inner)
    if (!opened.ok) return opened
    inner = opened.value
  }
  return ok(inner)
}

/** Type byte of a stream that starts with a wrapper we do not open. */
export function refuseStreamWrapper(type: number): Refusal | undefined {
  if (type === messageType.hasLabel) return labelled
  if (type === messageType.encrypted) return encrypted
  return undefined
}

/** Only peers of protocol 5 read it. Outermost on a packet that is not encrypted. */
export function addCrc(bytes: Uint8Array): Uint8Array {
  const header = new Uint8Array(5)
  const view = new DataView(header.buffer)
  view.setUint8(0, messageType.hasCrc)
  view.setUint32(1, crc32(bytes))
  return concatBytes([header, bytes])
}

/** The bytes that a compressed message (its type byte included) stands for. */
export function decompress(bytes: Uint8Array, sizeBytesMax: number): Result<Uint8Array, Refusal> {
  const { fields, failure } = readStruct(bytes, 1)
  return failure === undefined ? decompressFields(fields, bytes.length, sizeBytesMax) : fail(failure)
}

export function decompressFields(
  fields: Fields,
  bufBytesMax: number,
  sizeBytesMax: number,
): Result<Uint8Array, Refusal> {
  const algorithm = fields.uint('Algo', uint8Max)
  const packed = fields.bytes('Buf', bufBytesMax)
  if (fields.failure !== undefined) return fail(fields.failure)
  if (algorithm !== lzwAlgorithm) return malformed(`compression ${algorithm} is unknown`)
  return decodeLzw(packed, sizeBytesMax)
}

/** The parts of a compound, and what is wrong with it: a cut-off tail costs only the parts it held. */
export function splitCompound(bytes: Uint8Array): {
  readonly parts: readonly Uint8Array[]
  readonly refusal?: Refusal
} {
  const count = bytes[1] ?? 0
  const tableEnd = 2 + 2 * count
  if (bytes.length < Math.max(2, tableEnd)) {
    return { parts: [], refusal: { reason: 'malformed', detail: `a compound of ${count} without its lengths` } }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: Uint8Array[] = []
  let offset = tableEnd
  for (let i = 0; i < count; i++) {
    const end = offset + view.getUint16(2 + 2 * i)
    if (end > bytes.length) {
      return {
        parts,
        refusal: { reason: 'malformed', detail: `compound cut off: ${count - i} of ${count} parts lost` },
      }
    }
    parts.push(bytes.subarray(offset, end))
    offset = end
  }
  return { parts }
}

const lzwAlgorithm = 0

const labelled: Refusal = {
  reason: 'labelled',
  detail: 'carries a label, so it belongs to a labelled cluster; ours has none',
}

const encrypted: Refusal = {
  reason: 'encrypted',
  detail: 'is encrypted, so the peer has a gossip key; we have none',
}

function refuseLabel(bytes: Uint8Array): Result<Uint8Array, Refusal> {
  return bytes[0] === messageType.hasLabel ? fail(labelled) : ok(bytes)
}

/** Version, nonce and tag: no encrypted packet is shorter. */
const encryptedBytesMin = 1 + 12 + 16

/**
 * An encrypted packet has no type byte of its own: it starts with its version, 0 or 1, like a ping or an indirect ping.
 * Those go on with a map header and a field name, which a random nonce does less than once in a hundred times.
 */
function refuseEncryption(bytes: Uint8Array): Result<Uint8Array, Refusal> {
  const [type = 0xff, header = 0, next = 0] = bytes
  if (type === messageType.encrypted) return fail(encrypted)
  if (type > messageType.indirectPing || bytes.length < encryptedBytesMin) return ok(bytes)
  const isSmallMap = header >= 0x80 && header < 0x90 && ((next >= 0xa0 && next < 0xc0) || next === 0xd9)
  const isLargeMap = (header === 0xde || header === 0xdf) && next === 0
  return isSmallMap || isLargeMap ? ok(bytes) : fail(encrypted)
}

function checkCrc(bytes: Uint8Array): Result<Uint8Array, Refusal> {
  if (bytes[0] !== messageType.hasCrc) return ok(bytes)
  if (bytes.length < 5) return malformed('a checksum cut off')
  const told = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1)
  const inner = bytes.subarray(5)
  const found = crc32(inner)
  if (told === found) return ok(inner)
  return fail({ reason: 'badChecksum', detail: `checksum ${told.toString(16)} told, ${found.toString(16)} found` })
}

function malformed(detail: string): Result<never, Refusal> {
  return fail({ reason: 'malformed', detail })
}
