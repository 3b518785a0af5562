/**
 * Writes MessagePack in its old dialect, the only one every memberlist peer reads: text and bytes share the raw family
 * (fixraw, raw16, raw32), integers take the shortest unsigned form, or the shortest signed one below zero.
 * Bin codes exist only for our own application data, where text and bytes must stay apart.
 */
import { utf8 } from '../../kernel/bytes.ts'
import { invariant } from '../../kernel/invariant.ts'

export interface Writer {
  nil(): void
  bool(value: boolean): void
  /** A safe integer of either sign. */
  integer(value: number): void
  float(value: number): void
  text(value: string): void
  raw(bytes: Uint8Array): void
  bin(bytes: Uint8Array): void
  arrayHeader(length: number): void
  /** `length` pairs follow. */
  mapHeader(length: number): void
  /** As it is, without a header. */
  verbatim(bytes: Uint8Array): void
  /** A copy of what was written, and the end: nothing may be written afterwards. */
  finish(): Uint8Array
}

export function createWriter(): Writer {
  return new BytesWriter()
}

const nothing = new Uint8Array(0)
const spareBytesMax = 64 * 1024
/** What the last writer left behind: most messages are small, and a buffer of its own would cost more than writing it. */
let spare: Uint8Array | undefined

/** A class, because every message makes one: closures would be made anew each time. Ends with `finish`. */
class BytesWriter implements Writer {
  #buffer: Uint8Array
  #view: DataView
  #size = 0

  constructor() {
    this.#buffer = spare ?? new Uint8Array(1_024)
    spare = undefined
    this.#view = new DataView(this.#buffer.buffer)
  }

  nil(): void {
    this.#uint8(0xc0)
  }

  bool(value: boolean): void {
    this.#uint8(value ? 0xc3 : 0xc2)
  }

  integer(value: number): void {
    invariant(Number.isSafeInteger(value), `a packed integer is safe, not ${value}`)
    if (value < 0) this.#negative(value)
    else if (value < 0x80) this.#uint8(value)
    else if (value < 0x100) this.#coded(0xcc, value, 1)
    else if (value < 0x1_0000) this.#coded(0xcd, value, 2)
    else if (value < 0x1_0000_0000) this.#coded(0xce, value, 4)
    else this.#coded64(0xcf, value)
  }

  float(value: number): void {
    const at = this.#claim(9)
    this.#view.setUint8(at, 0xcb)
    this.#view.setFloat64(at + 1, value)
  }

  text(value: string): void {
    this.raw(utf8(value))
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length < 0x20) this.#uint8(0xa0 | bytes.length)
    else if (bytes.length < 0x1_0000) this.#coded(0xda, bytes.length, 2)
    else this.#coded(0xdb, bytes.length, 4)
    this.verbatim(bytes)
  }

  bin(bytes: Uint8Array): void {
    if (bytes.length < 0x100) this.#coded(0xc4, bytes.length, 1)
    else if (bytes.length < 0x1_0000) this.#coded(0xc5, bytes.length, 2)
    else this.#coded(0xc6, bytes.length, 4)
    this.verbatim(bytes)
  }

  arrayHeader(length: number): void {
    if (length < 0x10) this.#uint8(0x90 | length)
    else if (length < 0x1_0000) this.#coded(0xdc, length, 2)
    else this.#coded(0xdd, length, 4)
  }

  mapHeader(length: number): void {
    if (length < 0x10) this.#uint8(0x80 | length)
    else if (length < 0x1_0000) this.#coded(0xde, length, 2)
    else this.#coded(0xdf, length, 4)
  }

  verbatim(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length)
    this.#buffer.set(bytes, at)
  }

  finish(): Uint8Array {
    const written = this.#buffer.slice(0, this.#size)
    if (this.#buffer.length <= spareBytesMax) spare = this.#buffer
    this.#buffer = nothing
    return written
  }

  /** Makes room and returns where it begins. */
  #claim(sizeBytes: number): number {
    invariant(this.#buffer !== nothing, 'nothing is written after the end')
    const start = this.#size
    this.#size += sizeBytes
    if (this.#size > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#size, this.#buffer.length * 2))
      larger.set(this.#buffer)
      this.#buffer = larger
      this.#view = new DataView(larger.buffer)
    }
    return start
  }

  #uint8(value: number): void {
    const at = this.#claim(1)
    this.#view.setUint8(at, value)
  }

  /** A code followed by a big-endian unsigned number. */
  #coded(code: number, value: number, width: 1 | 2 | 4): void {
    const at = this.#claim(1 + width)
    this.#view.setUint8(at, code)
    if (width === 1) this.#view.setUint8(at + 1, value)
    else if (width === 2) this.#view.setUint16(at + 1, value)
    else this.#view.setUint32(at + 1, value)
  }

  #coded64(code: number, value: number): void {
    const at = this.#claim(9)
    this.#view.setUint8(at, code)
    this.#view.setBigInt64(at + 1, BigInt(value))
  }

  #negative(value: number): void {
    if (value >= -0x20) this.#uint8(0x100 + value)
    else if (value >= -0x80) this.#coded(0xd0, value, 1)
    else if (value >= -0x8000) this.#coded(0xd1, value, 2)
    else if (value >= -0x8000_0000) this.#coded(0xd2, value, 4)
    else this.#coded64(0xd3, value)
  }
}
