/** The compressed message, on packets and streams: a struct that names the algorithm, LZW, and holds what it made. */
import { fail } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { readStruct, uint8Max } from './fields.ts'
import type { Fields } from './fields.ts'
import { decodeLzw } from './lzw-decode.ts'
import { encodeLzw } from './lzw-encode.ts'
import { messageType } from './messages.ts'
import type { Refusal } from './messages.ts'
import { createWriter } from './msgpack-writer.ts'
import { writeStruct } from './structs.ts'

const lzwAlgorithm = 0

/** The bytes as they are when compression would not make them fewer. */
export function compressed(plain: Uint8Array): Uint8Array {
  const writer = createWriter()
  writer.verbatim(Uint8Array.of(messageType.compressed))
  writeStruct(writer, [
    ['Algo', lzwAlgorithm],
    ['Buf', encodeLzw(plain)],
  ])
  const packed = writer.finish()
  return packed.length < plain.length ? packed : plain
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
  if (algorithm !== lzwAlgorithm) return fail({ reason: 'malformed', detail: `compression ${algorithm} is unknown` })
  return decodeLzw(packed, sizeBytesMax)
}
