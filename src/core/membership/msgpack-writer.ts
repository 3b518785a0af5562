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
  /** A copy of what was written. */
  finish(): Uint8Array
}

export function createWriter(): Writer {
  let buffer = new Uint8Array(256)
  let view = new DataView(buffer.buffer)
  let size = 0

  /** Makes room and returns where it begins. */
  function claim(sizeBytes: number): number {
    const start = size
    size += sizeBytes
    if (size > buffer.length) {
      const larger = new Uint8Array(Math.max(size, buffer.length * 2))
      larger.set(buffer)
      buffer = larger
      view = new DataView(buffer.buffer)
    }
    return start
  }

  function uint8(value: number): void {
    const at = claim(1)
    view.setUint8(at, value)
  }

  /** A code followed by a big-endian unsigned number. */
  function coded(code: number, value: number, width: 1 | 2 | 4): void {
    const at = claim(1 + width)
    view.setUint8(at, code)
    if (width === 1) view.setUint8(at + 1, value)
    else if (width === 2) view.setUint16(at + 1, value)
    else view.setUint32(at + 1, value)
  }

  function coded64(code: number, value: number): void {
    const at = claim(9)
    view.setUint8(at, code)
    view.setBigInt64(at + 1, BigInt(value))
  }

  function negative(value: number): void {
    if (value >= -0x20) uint8(0x100 + value)
    else if (value >= -0x80) coded(0xd0, value, 1)
    else if (value >= -0x8000) coded(0xd1, value, 2)
    else if (value >= -0x8000_0000) coded(0xd2, value, 4)
    else coded64(0xd3, value)
  }

  const writer: Writer = {
    nil: () => uint8(0xc0),
    bool: value => uint8(value ? 0xc3 : 0xc2),
    integer(value) {
      invariant(Number.isSafeInteger(value), `a packed integer is safe, not ${value}`)
      if (value < 0) negative(value)
      else if (value < 0x80) uint8(value)
      else if (value < 0x100) coded(0xcc, value, 1)
      else if (value < 0x1_0000) coded(0xcd, value, 2)
      else if (value < 0x1_0000_0000) coded(0xce, value, 4)
      else coded64(0xcf, value)
    },
    float(value) {
      const at = claim(9)
      view.setUint8(at, 0xcb)
      view.setFloat64(at + 1, value)
    },
    text: value => writer.raw(utf8(value)),
    raw(bytes) {
      if (bytes.length < 0x20) uint8(0xa0 | bytes.length)
      else if (bytes.length < 0x1_0000) coded(0xda, bytes.length, 2)
      else coded(0xdb, bytes.length, 4)
      writer.verbatim(bytes)
    },
    bin(bytes) {
      if (bytes.length < 0x100) coded(0xc4, bytes.length, 1)
      else if (bytes.length < 0x1_0000) coded(0xc5, bytes.length, 2)
      else coded(0xc6, bytes.length, 4)
      writer.verbatim(bytes)
    },
    arrayHeader(length) {
      if (length < 0x10) uint8(0x90 | length)
      else if (length < 0x1_0000) coded(0xdc, length, 2)
      else coded(0xdd, length, 4)
    },
    mapHeader(length) {
      if (length < 0x10) uint8(0x80 | length)
      else if (length < 0x1_0000) coded(0xde, length, 2)
      else coded(0xdf, length, 4)
    },
    verbatim(bytes) {
      const at = claim(bytes.length)
      buffer.set(bytes, at)
    },
    finish: () => buffer.slice(0, size),
  }
  return writer
}
