/**
 * Key requests and replies as user messages, in the registry's envelope with format bytes of their own. The letters are the
 * protocol between versions: add, never reuse. Decoding is total and bounded: the bytes came from outside.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { isNodeName } from '../../kernel/units.ts'
import type { NodeName } from '../../kernel/units.ts'
import type { Packable } from '../membership/index.ts'
import { fieldReader, format, isFormat, seal, unseal } from '../registry/index.ts'
import type { FieldReader } from '../registry/index.ts'
import type { KeyOperation, KeyReply } from './key-operation.ts'
import { fingerprintPattern, isGossipKey, keysMax } from './keyring.ts'

/** `id` is the asker's, and new for every request that is not a repetition. */
export interface KeyRequestMessage {
  readonly kind: 'request'
  readonly id: string
  readonly from: NodeName
  readonly operation: KeyOperation
}

export interface KeyReplyMessage {
  readonly kind: 'reply'
  readonly id: string
  readonly from: NodeName
  readonly reply: KeyReply
}

export type KeyMessage = KeyRequestMessage | KeyReplyMessage

/** Eight fingerprints, a name and a sentence are far below. */
const messageSizeBytesMax = 4_096
const idPattern = /^[\w-]{1,64}$/
const idLengthMax = 64
const nodeNameLengthMax = 128
const keySizeBytesMax = 32
const fingerprintLength = 12
const problemLengthMax = 400

/** Of another kind it is the registry's business. */
export function isKeyMessage(bytes: Uint8Array): boolean {
  return isFormat(format.keyRequest, bytes) || isFormat(format.keyReply, bytes)
}

export function encodeKeyMessage(message: KeyMessage): Uint8Array {
  const { id, from } = message
  if (message.kind === 'request')
    return seal(format.keyRequest, { i: id, n: from, ...packOperation(message.operation) })
  const { fingerprints, problem } = message.reply
  return seal(format.keyReply, { i: id, n: from, f: fingerprints, p: problem?.slice(0, problemLengthMax) })
}

/** The error is a sentence for the log. */
export function decodeKeyMessage(bytes: Uint8Array): Result<KeyMessage, string> {
  if (bytes.length > messageSizeBytesMax) return fail(`a key message of ${bytes.length} bytes`)
  const kind = isFormat(format.keyRequest, bytes) ? 'request' : 'reply'
  const opened = unseal(kind === 'request' ? format.keyRequest : format.keyReply, bytes)
  if (!opened.ok) return fail(`a key ${kind}: ${opened.error}`)
  const reader = fieldReader(opened.value)
  const id = reader.text('i', idLengthMax, idPattern)
  const from = reader.text('n', nodeNameLengthMax)
  if (!isNodeName(from)) return fail(`a key ${kind}: n: not a node name`)
  const message: KeyMessage =
    kind === 'request'
      ? { kind, id, from, operation: readOperation(reader) }
      : { kind, id, from, reply: readReply(reader) }
  return reader.failure === undefined ? ok(message) : fail(`a key ${kind}: ${reader.failure}`)
}

function packOperation(operation: KeyOperation): { readonly [letter: string]: Packable | undefined } {
  if (operation.kind === 'install') return { o: operation.kind, k: operation.key }
  return { o: operation.kind, f: operation.kind === 'list' ? undefined : operation.fingerprint }
}

function readOperation(reader: FieldReader): KeyOperation {
  const kind = reader.text('o', 16)
  switch (kind) {
    case 'list':
      return { kind }
    case 'install': {
      const key = reader.bytes('k', keySizeBytesMax)
      if (!isGossipKey(key)) reader.fail('k: not 16, 24 or 32 bytes')
      return { kind, key }
    }
    case 'use':
    case 'remove':
      return { kind, fingerprint: reader.text('f', fingerprintLength, fingerprintPattern) }
    default:
      reader.fail('o: no operation that this version knows')
      return { kind: 'list' }
  }
}

function readReply(reader: FieldReader): KeyReply {
  const fingerprints = reader.texts('f', keysMax, fingerprintLength)
  if (!fingerprints.every(text => fingerprintPattern.test(text))) reader.fail('f: not a fingerprint')
  return { fingerprints, ...(reader.has('p') ? { problem: reader.text('p', problemLengthMax) } : {}) }
}
