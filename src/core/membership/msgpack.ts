/**
 * Plain values of our own application data ↔ bytes. Text travels in the raw family, bytes as bin, so that both come back
 * as what they were; peers that are not ours see opaque bytes and do not look inside.
 */
import { strictTextOf } from '../../kernel/bytes.ts'
import { invariant, unreachable } from '../../kernel/invariant.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { createReader } from './msgpack-reader.ts'
import type { Reader } from './msgpack-reader.ts'
import { createWriter } from './msgpack-writer.ts'
import type { Writer } from './msgpack-writer.ts'

/** Members that are `undefined` are left out. Text is well-formed Unicode. */
export type Packable =
  null | boolean | number | string | Uint8Array | readonly Packable[] | { readonly [key: string]: Packable | undefined }

/** Both ends are ours and our records are flat; deeper data is a bug here and an attack there. */
const depthMax = 16

export function encodePackable(value: Packable): Uint8Array {
  const writer = createWriter()
  write(writer, value, 0)
  return writer.finish()
}

/** The bytes must hold exactly one value. The error is a sentence for the log. */
export function decodePackable(bytes: Uint8Array): Result<Packable, string> {
  const reader = createReader(bytes)
  const value = read({ reader, costLeft: costMin + bytes.length / 4 }, 0)
  if (reader.failure !== undefined) return fail(reader.failure.detail)
  if (reader.offset < bytes.length) return fail(`${bytes.length - reader.offset} bytes after the value`)
  return ok(value)
}

/**
 * One byte can ask for an empty map, which takes two hundred here: 4 MiB of them would be the end of the process. So the
 * values may cost what honest data of that size costs: one each, a map four, four bytes of data for each on average.
 */
const costMin = 65_536
const mapCost = 4

interface Decoding {
  readonly reader: Reader
  costLeft: number
}

function write(writer: Writer, value: Packable, depth: number): void {
  invariant(depth <= depthMax, `packed data nests at most ${depthMax} levels`)
  if (value === null) writer.nil()
  else if (typeof value === 'boolean') writer.bool(value)
  else if (typeof value === 'string') writer.text(value)
  else if (typeof value === 'number') writeNumber(writer, value)
  else if (value instanceof Uint8Array) writer.bin(value)
  else if (isList(value)) {
    writer.arrayHeader(value.length)
    for (const item of value) write(writer, item, depth + 1)
  } else {
    const members = Object.entries(value).filter((member): member is [string, Packable] => member[1] !== undefined)
    writer.mapHeader(members.length)
    for (const [key, member] of members) {
      writer.text(key)
      write(writer, member, depth + 1)
    }
  }
}

/** Minus zero is a safe integer to JavaScript but not to MessagePack. */
function writeNumber(writer: Writer, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writer.integer(value)
  else writer.float(value)
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: Packable): value is readonly Packable[] {
  return Array.isArray(value)
}

function read(decoding: Decoding, depth: number): Packable {
  const { reader } = decoding
  if (depth > depthMax) reader.fail('tooDeep', `nests more than ${depthMax} levels`)
  const token = reader.next()
  decoding.costLeft -= token.kind === 'map' ? mapCost : 1
  if (decoding.costLeft < 0) reader.fail('tooLarge', 'more values than honest data of that size has')
  switch (token.kind) {
    case 'nil':
      return null
    case 'bool':
    case 'float':
      return token.value
    case 'integer':
      if (!Number.isSafeInteger(token.value)) reader.fail('tooLarge', 'an integer beyond 2^53-1')
      return token.value
    case 'text':
      return readText(reader, token.bytes)
    case 'bytes':
      return token.bytes.slice()
    case 'array':
      return readList(decoding, token.length, depth)
    case 'map':
      return readMap(decoding, token.length, depth)
    case 'extension':
      reader.fail('malformed', 'an extension type')
      return null
    default:
      return unreachable(token)
  }
}

function readText(reader: Reader, bytes: Uint8Array): string {
  const text = strictTextOf(bytes)
  if (text === undefined) reader.fail('malformed', 'text that is not UTF-8')
  return text ?? ''
}

function readList(decoding: Decoding, length: number, depth: number): Packable {
  const list: Packable[] = []
  for (let i = 0; i < length && decoding.reader.failure === undefined; i++) list.push(read(decoding, depth + 1))
  return list
}

function readMap(decoding: Decoding, length: number, depth: number): Packable {
  const { reader } = decoding
  // Without a prototype a key named `__proto__` or `constructor` is an ordinary key, present or absent.
  const map = Object.create(null) as Record<string, Packable>
  for (let i = 0; i < length && reader.failure === undefined; i++) {
    const key = reader.next()
    if (key.kind !== 'text') reader.fail('malformed', 'a map key that is not text')
    else map[readText(reader, key.bytes)] = read(decoding, depth + 1)
  }
  return map
}
