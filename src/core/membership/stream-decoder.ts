/**
 * Streams → messages. A stream carries one message each way; its parts follow each other without frames, so the decoder
 * reads as if everything were there and stops wherever bytes are missing. Decoding is total, its memory bounded by limits
 * that are checked before anything is collected, and its work linear in the bytes however they are cut.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { createByteBuffer } from './byte-buffer.ts'
import { decompressFields } from './compression.ts'
import { isStreamSealed, openStream, readStreamLength, streamHeaderBytes } from './encryption.ts'
import { readStruct } from './fields.ts'
import type { Fields } from './fields.ts'
import { findLabelEnd } from './label.ts'
import { defaultStreamLimits, refusalsMax } from './limits.ts'
import type { StreamDecoderLimits } from './limits.ts'
import { messageType } from './messages.ts'
import type { NodeState, Refusal, StreamMessage } from './messages.ts'
import { createReader } from './msgpack-reader.ts'
import type { Token } from './msgpack-reader.ts'
import { unprotected } from './protection.ts'
import type { Protection } from './protection.ts'
import { readAck, readNodeState, readPing } from './structs.ts'
import type { StreamSide } from './wrap.ts'

export interface StreamDecoder {
  /**
   * The message once it is whole, `undefined` while more is needed. A refusal is final and answers every later push;
   * bytes after the message are dropped.
   */
  push(bytes: Uint8Array): Result<StreamMessage | undefined, Refusal>
  /** Why nodes were left out of a push/pull, the first few: one strange name must not cost the whole exchange. */
  readonly skipped: readonly Refusal[]
}

/** `side` is who writes what is read here. */
export function createStreamDecoder(
  limits: StreamDecoderLimits = defaultStreamLimits,
  protection: Protection = unprotected,
  side: StreamSide = 'opener',
): StreamDecoder {
  const buffer = createByteBuffer(limits.streamBytesMax)
  const skipped: Refusal[] = []
  const source: Source = { bytes: () => buffer.bytes(), limits, skipped }
  const parsing = side === 'opener' ? parseLabelled(source, protection) : parseSealed(source, protection)
  let neededBytes = 1
  let outcome: Result<StreamMessage | undefined, Refusal> | undefined

  return {
    skipped,
    push(bytes) {
      if (outcome !== undefined) return outcome.ok ? ok(undefined) : outcome
      if (!buffer.append(bytes)) return (outcome = tooLarge(`a stream of more than ${limits.streamBytesMax} bytes`))
      if (buffer.sizeBytes < neededBytes) return ok(undefined)
      const progress = parsing.next()
      if (progress.done === true) return (outcome = progress.value)
      neededBytes = progress.value
      return ok(undefined)
    },
  }
}

interface Source {
  /** All that has arrived so far. */
  bytes(): Uint8Array
  readonly limits: StreamDecoderLimits
  readonly skipped: Refusal[]
}

/** Yields, whenever it has to wait, how many bytes must have arrived in all before it is worth going on. */
type Parse<T> = Generator<number, Result<T, Refusal>, void>

function* parseLabelled(source: Source, protection: Protection): Parse<StreamMessage> {
  let end = findLabelEnd(source.bytes(), protection.label)
  for (; end.ok && end.value === undefined; end = findLabelEnd(source.bytes(), protection.label))
    yield source.bytes().length + 1
  return end.ok ? yield* behind(end.value ?? 0, source, inner => parseSealed(inner, protection)) : end
}

/** An encrypted stream has to be whole before any of it can be trusted, so its length is judged first. */
function* parseSealed(source: Source, protection: Protection): Parse<StreamMessage> {
  const isSealed = isStreamSealed(yield* firstByte(source), protection)
  if (!isSealed.ok) return isSealed
  if (!isSealed.value) return yield* parseCompressed(source)

  while (source.bytes().length < streamHeaderBytes) yield streamHeaderBytes
  const length = readStreamLength(source.bytes(), source.limits.streamBytesMax - streamHeaderBytes)
  if (!length.ok) return length
  const end = streamHeaderBytes + length.value
  while (source.bytes().length < end) yield end
  const opened = openStream(source.bytes().subarray(0, end), protection)
  return opened.ok ? ended(parseCompressed({ ...source, bytes: () => opened.value })) : opened
}

function* parseCompressed(source: Source): Parse<StreamMessage> {
  const type = yield* firstByte(source)
  if (type !== messageType.compressed) return yield* parseMessage(source, type)

  const { streamBytesMax } = source.limits
  const wrapper = yield* parseStruct(source, 1, streamBytesMax)
  if (!wrapper.ok) return wrapper
  const inner = decompressFields(wrapper.value.fields, streamBytesMax, streamBytesMax)
  if (!inner.ok) return inner
  if (inner.value[0] === messageType.compressed) return fail({ reason: 'tooDeep', detail: 'a stream compressed twice' })
  return ended(parseMessage({ ...source, bytes: () => inner.value }, inner.value[0] ?? messageType.compressed))
}

/** What was decrypted or decompressed is all there is: waiting for more would be waiting for ever. */
function ended<T>(parse: Parse<T>): Result<T, Refusal> {
  const progress = parse.next()
  return progress.done === true ? progress.value : malformed('what was inside the stream ends early')
}

/** Parses what follows the first `offset` bytes. */
function* behind<T>(offset: number, source: Source, parse: (inner: Source) => Parse<T>): Parse<T> {
  if (offset === 0) return yield* parse(source)
  const parsing = parse({ ...source, bytes: () => source.bytes().subarray(offset) })
  let progress = parsing.next()
  for (; progress.done !== true; progress = parsing.next()) yield offset + progress.value
  return progress.value
}

function* firstByte(source: Source): Generator<number, number, void> {
  for (;;) {
    const [byte] = source.bytes()
    if (byte !== undefined) return byte
    yield 1
  }
}

/** `type` is the first byte of the source, which was looked at already. */
function* parseMessage(source: Source, type: number): Parse<StreamMessage> {
  switch (type) {
    case messageType.pushPull:
      return yield* parsePushPull(source)
    case messageType.user:
      return yield* parseUser(source)
    case messageType.ping:
      return yield* parseFlat(source, readPing)
    case messageType.ack:
      return yield* parseFlat(source, readAck)
    case messageType.error:
      return yield* parseFlat(source, fields => ({ kind: 'error', text: fields.text('Error', errorTextBytesMax) }))
    default:
      return fail({ reason: 'unknownType', detail: `message type ${type} on a stream` })
  }
}

/** A struct of the protocol is a few hundred bytes; 64 KiB is room for a ping's payload and later fields. */
const structBytesMax = 65_536
const errorTextBytesMax = 1024

function* parseFlat(source: Source, read: (fields: Fields) => StreamMessage): Parse<StreamMessage> {
  const struct = yield* parseStruct(source, 1, structBytesMax)
  if (!struct.ok) return struct
  const message = read(struct.value.fields)
  return finished(message, struct.value.fields)
}

function* parsePushPull(source: Source): Parse<StreamMessage> {
  const { nodesMax, userStateBytesMax } = source.limits
  const header = yield* parseStruct(source, 1, structBytesMax)
  if (!header.ok) return header
  const { fields } = header.value
  const count = fields.uint('Nodes', Number.MAX_SAFE_INTEGER)
  const userStateBytes = fields.uint('UserStateLen', Number.MAX_SAFE_INTEGER)
  const join = fields.bool('Join')
  if (fields.failure !== undefined) return fail(fields.failure)
  if (count > nodesMax) return tooLarge(`${count} nodes told, at most ${nodesMax} are taken`)
  if (userStateBytes > userStateBytesMax) return tooLarge(`${userStateBytes} bytes of user state told`)

  const nodes: NodeState[] = []
  let offset = header.value.end
  for (let i = 0; i < count; i++) {
    const struct = yield* parseStruct(source, offset, structBytesMax)
    if (!struct.ok) return struct
    const node = finished(readNodeState(struct.value.fields), struct.value.fields)
    if (node.ok) nodes.push(node.value)
    else if (source.skipped.length < refusalsMax) source.skipped.push(node.error)
    offset = struct.value.end
  }
  return ok({ kind: 'pushPull', join, nodes, userState: yield* parseRaw(source, offset, userStateBytes) })
}

function* parseUser(source: Source): Parse<StreamMessage> {
  const header = yield* parseStruct(source, 1, structBytesMax)
  if (!header.ok) return header
  const { fields, end } = header.value
  const sizeBytes = fields.uint('UserMsgLen', Number.MAX_SAFE_INTEGER)
  if (fields.failure !== undefined) return fail(fields.failure)
  if (sizeBytes > source.limits.userMessageBytesMax) return tooLarge(`a user message of ${sizeBytes} bytes told`)
  return ok({ kind: 'streamUser', bytes: yield* parseRaw(source, end, sizeBytes) })
}

function* parseStruct(
  source: Source,
  start: number,
  sizeBytesMax: number,
): Parse<{ readonly fields: Fields; readonly end: number }> {
  const end = yield* parseExtent(source, start, sizeBytesMax)
  if (!end.ok) return end
  const { fields, failure } = readStruct(source.bytes(), start)
  return failure === undefined ? ok({ fields, end: end.value }) : fail(failure)
}

/** Finds where a value ends, going on after each wait where it stopped, so that no byte is looked at twice. */
function* parseExtent(source: Source, start: number, sizeBytesMax: number): Parse<number> {
  let offset = start
  let pending = 1
  while (pending > 0) {
    const bytes = source.bytes()
    const reader = createReader(bytes, offset)
    while (pending > 0) {
      const token = reader.next()
      if (reader.failure !== undefined) break
      offset = reader.offset
      pending += childrenOf(token) - 1
    }
    const { failure, missingBytes } = reader
    if (failure !== undefined && missingBytes === 0) return fail(failure)
    const neededBytes = missingBytes === 0 ? offset : bytes.length + missingBytes
    if (neededBytes - start > sizeBytesMax) return tooLarge(`a struct of more than ${sizeBytesMax} bytes`)
    if (missingBytes > 0) yield neededBytes
  }
  return ok(offset)
}

function childrenOf(token: Token): number {
  if (token.kind === 'map') return 2 * token.length
  return token.kind === 'array' ? token.length : 0
}

/** A copy, so that a small message does not keep the whole stream in memory. */
function* parseRaw(source: Source, start: number, sizeBytes: number): Generator<number, Uint8Array, void> {
  const end = start + sizeBytes
  while (source.bytes().length < end) yield end
  return source.bytes().slice(start, end)
}

function finished<T>(message: T, fields: Fields): Result<T, Refusal> {
  return fields.failure === undefined ? ok(message) : fail(fields.failure)
}

function tooLarge(detail: string): { readonly ok: false; readonly error: Refusal } {
  return fail({ reason: 'tooLarge', detail })
}

function malformed(detail: string): { readonly ok: false; readonly error: Refusal } {
  return fail({ reason: 'malformed', detail })
}
