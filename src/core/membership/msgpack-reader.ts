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
  return new BytesReader(bytes, start, tokensMax)
}

/** A class, because every message of every packet makes one: closures would be made anew each time. */
class BytesReader implements Reader {
  offset: number
  failure: Refusal | undefined = undefined
  missingBytes = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #tokensMax: number
  #tokens = 0

  constructor(bytes: Uint8Array, start: number, tokensMax: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#tokensMax = tokensMax
    this.offset = start
  }

  fail(reason: RefusalReason, detail: string): void {
    this.failure ??= { reason, detail }
  }

  next(): Token {
    if (++this.#tokens > this.#tokensMax) this.fail('tooLarge', `more than ${this.#tokensMax} values`)
    const code = this.#uint(1)
    if (this.failure !== undefined) return nil
    if (code < 0x80) return { kind: 'integer', value: code }
    if (code < 0x90) return this.#collection('map', code & 0x0f)
    if (code < 0xa0) return this.#collection('array', code & 0x0f)
    if (code < 0xc0) return this.#block('text', code & 0x1f)
    if (code >= 0xe0) return { kind: 'integer', value: code - 0x100 }
    return this.#coded(code)
  }

  /** True when that many bytes are there to be read. */
  #has(sizeBytes: number): boolean {
    if (this.failure !== undefined) return false
    this.missingBytes = Math.max(0, this.offset + sizeBytes - this.#bytes.length)
    if (this.missingBytes > 0) this.fail('malformed', `ends ${this.missingBytes} bytes early`)
    return this.missingBytes === 0
  }

  #uint(width: 1 | 2 | 4 | 8): number {
    if (!this.#has(width)) return 0
    const at = this.offset
    this.offset += width
    if (width === 1) return this.#view.getUint8(at)
    if (width === 2) return this.#view.getUint16(at)
    if (width === 4) return this.#view.getUint32(at)
    return Number(this.#view.getBigUint64(at))
  }

  #int(width: 1 | 2 | 4 | 8): number {
    if (!this.#has(width)) return 0
    const at = this.offset
    this.offset += width
    if (width === 1) return this.#view.getInt8(at)
    if (width === 2) return this.#view.getInt16(at)
    if (width === 4) return this.#view.getInt32(at)
    return Number(this.#view.getBigInt64(at))
  }

  #float(width: 4 | 8): Token {
    if (!this.#has(width)) return nil
    const at = this.offset
    this.offset += width
    return { kind: 'float', value: width === 4 ? this.#view.getFloat32(at) : this.#view.getFloat64(at) }
  }

  #block(kind: 'text' | 'bytes' | 'extension', sizeBytes: number): Token {
    if (!this.#has(sizeBytes)) return nil
    this.offset += sizeBytes
    return { kind, bytes: this.#bytes.subarray(this.offset - sizeBytes, this.offset) }
  }

  /** Every element takes a byte at least, so a length beyond what is left is false before anything is allocated. */
  #collection(kind: 'array' | 'map', length: number): Token {
    return this.#has(kind === 'map' ? 2 * length : length) ? { kind, length } : nil
  }

  #coded(code: number): Token {
    switch (code) {
      case 0xc0:
        return nil
      case 0xc2:
      case 0xc3:
        return { kind: 'bool', value: code === 0xc3 }
      case 0xc4:
        return this.#block('bytes', this.#uint(1))
      case 0xc5:
        return this.#block('bytes', this.#uint(2))
      case 0xc6:
        return this.#block('bytes', this.#uint(4))
      case 0xc7: // an extension's type is one byte beside its data
        return this.#block('extension', this.#uint(1) + 1)
      case 0xc8:
        return this.#block('extension', this.#uint(2) + 1)
      case 0xc9:
        return this.#block('extension', this.#uint(4) + 1)
      case 0xca:
        return this.#float(4)
      case 0xcb:
        return this.#float(8)
      case 0xcc:
        return { kind: 'integer', value: this.#uint(1) }
      case 0xcd:
        return { kind: 'integer', value: this.#uint(2) }
      case 0xce:
        return { kind: 'integer', value: this.#uint(4) }
      case 0xcf:
        return { kind: 'integer', value: this.#uint(8) }
      case 0xd0:
        return { kind: 'integer', value: this.#int(1) }
      case 0xd1:
        return { kind: 'integer', value: this.#int(2) }
      case 0xd2:
        return { kind: 'integer', value: this.#int(4) }
      case 0xd3:
        return { kind: 'integer', value: this.#int(8) }
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#block('extension', (1 << (code - 0xd4)) + 1)
      case 0xd9:
        return this.#block('text', this.#uint(1))
      case 0xda:
        return this.#block('text', this.#uint(2))
      case 0xdb:
        return this.#block('text', this.#uint(4))
      case 0xdc:
        return this.#collection('array', this.#uint(2))
      case 0xdd:
        return this.#collection('array', this.#uint(4))
      case 0xde:
        return this.#collection('map', this.#uint(2))
      case 0xdf:
        return this.#collection('map', this.#uint(4))
      default:
        this.fail('malformed', `no MessagePack value starts with 0x${code.toString(16)}`)
        return nil
    }
  }
}
