/**
 * Reads MessagePack of the old and the new dialect, token by token, from bytes that anybody may have sent.
 * Never throws and never allocates by a length it has not checked against the bytes that are there: the first fault
 * sticks, everything read after it is `nil`, and whoever drives the reader looks at `failure` before using a result.
 */
import type { RefusalReason } from './types.ts'
import type { Refusal } from './messages.ts'

/** `text` is the raw family and str8, `bytes` is bin: old peers use the first for both. Both are views, not copies. */
export type Token =
  | { readonly kind: 'nil' }
  | { readonly kind: 'bool'; readonly value: boolean }
  /** Rounded when beyond 2^53. */
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'extension'; readonly bytes: Uint8Array }
  /** `length` values follow. */
  | { readonly kind: 'array'; readonly length: number }
  /** `length` pairs follow. */
  | { readonly kind: 'map'; readonly length: number }

export interface Reader {
  /** Position of the next byte; after a complete value, how many bytes were used. */
  readonly offset: number
  readonly failure: Refusal | undefined
  /** Not 0 when the failure is that the data, right so far, ended: at least that many bytes more are needed. */
  readonly missingBytes: number
  next(): Token
  /** Lets the one who understands the tokens refuse them. The first failure stays. */
  fail(reason: RefusalReason, detail: string): void
}

const nil: Token = { kind: 'nil' }

/** `tokensMax` bounds the work of one value apart from its size; leave it out where the size is bound enough. */
export function createReader(bytes: Uint8Array, start = 0, tokensMax = Number.POSITIVE_INFINITY): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = start
  let tokens = 0
  let failure: Refusal | undefined
  let missingBytes = 0

  function fail(reason: RefusalReason, detail: string): void {
    failure ??= { reason, detail }
  }

  /** True when that many bytes are there to be read. */
  function has(sizeBytes: number): boolean {
    if (failure !== undefined) return false
    missingBytes = Math.max(0, offset + sizeBytes - bytes.length)
    if (missingBytes > 0) fail('malformed', `ends ${missingBytes} bytes early`)
    return missingBytes === 0
  }

  function uint(width: 1 | 2 | 4 | 8): number {
    if (!has(width)) return 0
    const at = offset
    offset += width
    if (width === 1) return view.getUint8(at)
    if (width === 2) return view.getUint16(at)
    if (width === 4) return view.getUint32(at)
    return Number(view.getBigUint64(at))
  }

  function int(width: 1 | 2 | 4 | 8): number {
    if (!has(width)) return 0
    const at = offset
    offset += width
    if (width === 1) return view.getInt8(at)
    if (width === 2) return view.getInt16(at)
    if (width === 4) return view.getInt32(at)
    return Number(view.getBigInt64(at))
  }

  function float(width: 4 | 8): Token {
    if (!has(width)) return nil
    const at = offset
    offset += width
    return { kind: 'float', value: width === 4 ? view.getFloat32(at) : view.getFloat64(at) }
  }

  function block(kind: 'text' | 'bytes' | 'extension', sizeBytes: number): Token {
    if (!has(sizeBytes)) return nil
    offset += sizeBytes
    return { kind, bytes: bytes.subarray(offset - sizeBytes, offset) }
  }

  /** Every element takes a byte at least, so a length beyond what is left is false before anything is allocated. */
  function collection(kind: 'array' | 'map', length: number): Token {
    return has(kind === 'map' ? 2 * length : length) ? { kind, length } : nil
  }

  function coded(code: number): Token {
    switch (code) {
      case 0xc0:
        return nil
      case 0xc2:
      case 0xc3:
        return { kind: 'bool', value: code === 0xc3 }
      case 0xc4:
        return block('bytes', uint(1))
      case 0xc5:
        return block('bytes', uint(2))
      case 0xc6:
        return block('bytes', uint(4))
      case 0xc7: // an extension's type is one byte beside its data
        return block('extension', uint(1) + 1)
      case 0xc8:
        return block('extension', uint(2) + 1)
      case 0xc9:
        return block('extension', uint(4) + 1)
      case 0xca:
        return float(4)
      case 0xcb:
        return float(8)
      case 0xcc:
        return { kind: 'integer', value: uint(1) }
      case 0xcd:
        return { kind: 'integer', value: uint(2) }
      case 0xce:
        return { kind: 'integer', value: uint(4) }
      case 0xcf:
        return { kind: 'integer', value: uint(8) }
      case 0xd0:
        return { kind: 'integer', value: int(1) }
      case 0xd1:
        return { kind: 'integer', value: int(2) }
      case 0xd2:
        return { kind: 'integer', value: int(4) }
      case 0xd3:
        return { kind: 'integer', value: int(8) }
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return block('extension', (1 << (code - 0xd4)) + 1)
      case 0xd9:
        return block('text', uint(1))
      case 0xda:
        return block('text', uint(2))
      case 0xdb:
        return block('text', uint(4))
      case 0xdc:
        return collection('array', uint(2))
      case 0xdd:
        return collection('array', uint(4))
      case 0xde:
        return collection('map', uint(2))
      case 0xdf:
        return collection('map', uint(4))
      default:
        fail('malformed', `no MessagePack value starts with 0x${code.toString(16)}`)
        return nil
    }
  }

  return {
    get offset() {
      return offset
    },
    get failure() {
      return failure
    },
    get missingBytes() {
      return missingBytes
    },
    fail,
    next() {
      if (++tokens > tokensMax) fail('tooLarge', `more than ${tokensMax} values`)
      const code = uint(1)
      if (failure !== undefined) return nil
      if (code < 0x80) return { kind: 'integer', value: code }
      if (code < 0x90) return collection('map', code & 0x0f)
      if (code < 0xa0) return collection('array', code & 0x0f)
      if (code < 0xc0) return block('text', code & 0x1f)
      if (code >= 0xe0) return { kind: 'integer', value: code - 0x100 }
      return coded(code)
    },
  }
}
