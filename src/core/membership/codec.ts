/**
 * Packets ↔ messages, byte for byte as memberlist's peers write and read them. Decoding is total: whatever the bytes are,
 * the answer is the messages that could be read and a refusal for each thing that could not.
 */
import { unreachable } from '../../kernel/invariant.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { splitCompound } from './compound.ts'
import { decompress } from './compression.ts'
import { readStruct } from './fields.ts'
import type { Fields } from './fields.ts'
import { packetBytesMax, packetUnfoldedBytesMax, refusalsMax, wrapDepthMax } from './limits.ts'
import { messageType } from './messages.ts'
import type { PacketMessage, Refusal } from './messages.ts'
import { createWriter } from './msgpack-writer.ts'
import type { Writer } from './msgpack-writer.ts'
import { unprotected } from './protection.ts'
import type { Protection } from './protection.ts'
import {
  readAccusation,
  readAck,
  readAlive,
  readIndirectPing,
  readNack,
  readPing,
  writeAccusation,
  writeAck,
  writeAlive,
  writeIndirectPing,
  writeNack,
  writePing,
} from './structs.ts'
import { unwrapPacket } from './wrap.ts'

export { addCrc } from './checksum.ts'
export { compoundHeaderBytes, compoundPartBytes, compoundPartsMax, encodeCompound } from './compound.ts'

export interface DecodedPacket {
  /** In the order they lay in the packet. */
  readonly messages: readonly PacketMessage[]
  /** The first few. */
  readonly refusals: readonly Refusal[]
}

/** One plain message with its type byte: a part of a compound, or a whole packet. Ping and ack also open streams. */
export function encodeMessage(message: PacketMessage): Uint8Array {
  const writer = createWriter()
  writer.verbatim(Uint8Array.of(messageType[message.kind]))
  writeBody(writer, message)
  return writer.finish()
}

/** An empty packet is nothing: neither a message nor a refusal. */
export function decodePacket(bytes: Uint8Array, protection: Protection = unprotected): DecodedPacket {
  const packet: OpenPacket = { messages: [], refusals: [], unfoldBytesLeft: packetUnfoldedBytesMax }
  if (bytes.length > packetBytesMax) {
    refuse(packet, { reason: 'tooLarge', detail: `a packet of ${bytes.length} bytes` })
  } else if (bytes.length > 0) {
    const inner = unwrapPacket(bytes, protection)
    if (inner.ok) unfold(packet, inner.value, 0)
    else refuse(packet, inner.error)
  }
  return { messages: packet.messages, refusals: packet.refusals }
}

interface OpenPacket {
  readonly messages: PacketMessage[]
  readonly refusals: Refusal[]
  /** What all compressed parts together may still become. */
  unfoldBytesLeft: number
}

/** Setting up a decompression costs something even when little comes out, so each counts as this much at least. */
const unfoldBytesMin = 1024

function unfold(packet: OpenPacket, bytes: Uint8Array, depth: number): void {
  const type = bytes[0]
  const isWrapper = type === messageType.compound || type === messageType.compressed
  if (isWrapper && depth >= wrapDepthMax) {
    refuse(packet, { reason: 'tooDeep', detail: `wrapped more than ${wrapDepthMax} times` })
  } else if (type === messageType.compound) {
    const { parts, refusal } = splitCompound(bytes)
    for (const part of parts) unfold(packet, part, depth + 1)
    if (refusal !== undefined) refuse(packet, refusal)
  } else if (type === messageType.compressed) {
    const inner = decompressWithin(packet, bytes)
    if (inner.ok) unfold(packet, inner.value, depth + 1)
    else refuse(packet, inner.error)
  } else {
    const message = decodeMessage(bytes)
    if (message.ok) packet.messages.push(message.value)
    else refuse(packet, message.error)
  }
}

function refuse(packet: OpenPacket, refusal: Refusal): void {
  if (packet.refusals.length < refusalsMax) packet.refusals.push(refusal)
}

/** Once a part asked for more than was left, no other compressed part of that packet is opened. */
function decompressWithin(packet: OpenPacket, bytes: Uint8Array): Result<Uint8Array, Refusal> {
  const sizeBytesMax = packet.unfoldBytesLeft
  const inner: Result<Uint8Array, Refusal> =
    sizeBytesMax === 0
      ? fail({ reason: 'tooLarge', detail: `compressed parts of more than ${packetUnfoldedBytesMax} bytes` })
      : decompress(bytes, sizeBytesMax)
  const isBomb = !inner.ok && inner.error.reason === 'tooLarge'
  const spent = isBomb ? sizeBytesMax : Math.max(inner.ok ? inner.value.length : 0, unfoldBytesMin)
  packet.unfoldBytesLeft = Math.max(0, sizeBytesMax - spent)
  return inner
}

function decodeMessage(bytes: Uint8Array): Result<PacketMessage, Refusal> {
  const [type] = bytes
  if (type === undefined) return fail({ reason: 'malformed', detail: 'an empty message' })
  if (type === messageType.user) return ok({ kind: 'user', bytes: bytes.slice(1) })
  const read = bodyReaders.get(type)
  if (read === undefined) return fail({ reason: 'unknownType', detail: `message type ${type} in a packet` })
  const { fields, failure } = readStruct(bytes, 1)
  return failure === undefined ? finished(read(fields), fields) : fail(failure)
}

const bodyReaders = new Map<number, (fields: Fields) => PacketMessage>([
  [messageType.ping, readPing],
  [messageType.indirectPing, readIndirectPing],
  [messageType.ack, readAck],
  [messageType.nack, readNack],
  [messageType.suspect, fields => readAccusation('suspect', fields)],
  [messageType.dead, fields => readAccusation('dead', fields)],
  [messageType.alive, readAlive],
])

function finished<T>(message: T, fields: Fields): Result<T, Refusal> {
  return fields.failure === undefined ? ok(message) : fail(fields.failure)
}

function writeBody(writer: Writer, message: PacketMessage): void {
  switch (message.kind) {
    case 'ping':
      return writePing(writer, message)
    case 'indirectPing':
      return writeIndirectPing(writer, message)
    case 'ack':
      return writeAck(writer, message)
    case 'nack':
      return writeNack(writer, message)
    case 'suspect':
    case 'dead':
      return writeAccusation(writer, message)
    case 'alive':
      return writeAlive(writer, message)
    case 'user':
      return writer.verbatim(message.bytes)
    default:
      return unreachable(message)
  }
}
