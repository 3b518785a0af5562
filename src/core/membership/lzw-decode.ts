/**
 * Decodes LZW: the width of the codes grows with the table, and a table that is full simply stays as it is.
 * Works in one pass, in time and memory proportional to the output, which `sizeBytesMax` bounds.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { clearCode, endCode, firstFreeCode, tableSize, widthMax, widthMin } from './lzw.ts'
import type { Refusal } from './messages.ts'

const none = -1

/** An empty output is refused: no message is empty, and an older peer once crashed on one. */
export function decodeLzw(bytes: Uint8Array, sizeBytesMax: number): Result<Uint8Array, Refusal> {
  // A code stands for a run of the output that was already written: where it began and how long it is.
  const starts = new Uint32Array(tableSize)
  const lengths = new Uint32Array(tableSize)
  let output = new Uint8Array(Math.min(sizeBytesMax, 4 * bytes.length))
  let size = 0
  let free = firstFreeCode
  let width = widthMin
  let previousStart = none
  let bits = 0
  let bitCount = 0

  for (const byte of bytes) {
    bits |= byte << bitCount
    bitCount += 8
    if (bitCount < width) continue
    const code = bits & ((1 << width) - 1)
    bits >>>= width
    bitCount -= width
    if (code === endCode) return size === 0 ? malformed('decompresses to nothing') : ok(output.slice(0, size))
    if (code === clearCode) {
      free = firstFreeCode
      width = widthMin
      previousStart = none
      continue
    }
    if (previousStart !== none && free < tableSize) {
      // The new entry is the previous run and the byte after it, which is the first one written now.
      starts[free] = previousStart
      lengths[free] = size - previousStart + 1
      free++
    }
    if (code >= free) return malformed(`code ${code} stands for nothing yet`)
    const length = code < clearCode ? 1 : (lengths[code] ?? 0)
    if (size + length > sizeBytesMax)
      return fail({ reason: 'tooLarge', detail: `decompresses to more than ${sizeBytesMax} bytes` })
    if (size + length > output.length) output = grown(output, size + length, sizeBytesMax)
    previousStart = size
    if (code < clearCode) output[size++] = code
    else size = copyRun(output, starts[code] ?? 0, size, length)
    if (free === 1 << width && width < widthMax) width++
  }
  return malformed('the compressed data has no end')
}

/** Byte by byte, because a run may reach into what is being written. Returns the new size. */
function copyRun(output: Uint8Array, from: number, to: number, length: number): number {
  for (let i = 0; i < length; i++) output[to + i] = output[from + i] ?? 0
  return to + length
}

function grown(output: Uint8Array, sizeBytes: number, sizeBytesMax: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(sizeBytesMax, Math.max(sizeBytes, 2 * output.length)))
  larger.set(output)
  return larger
}

function malformed(detail: string): Result<Uint8Array, Refusal> {
  return fail({ reason: 'malformed', detail })
}
