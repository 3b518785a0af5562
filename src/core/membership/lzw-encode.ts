/**
 * Encodes LZW, byte for byte as Go's compress/lzw does it (low bit first, literal width 8), so that what we send is what
 * a Go peer would have sent. It begins with a clear, and clears again just before the last code of the table would be
 * given out. Works in one pass, in time and memory proportional to the input.
 */
import { clearCode, endCode, tableSize, widthMin } from './lzw.ts'

/** Go gives this one out never: at the code before it the table starts anew. */
const lastCode = tableSize - 1

export function encodeLzw(plain: Uint8Array): Uint8Array {
  const output = createBitWriter(plain.length)
  const table = createTable(plain.length)
  // The last code that was given to a run, or would have been: each code that is written counts, the first one too.
  let added = endCode
  let width = widthMin
  let widensAt = 1 << widthMin

  /** False when the table had to be emptied: then there is no place for what comes next. */
  function countCode(): boolean {
    added++
    if (added === widensAt) {
      width++
      widensAt <<= 1
    }
    if (added < lastCode) return true
    output.write(clearCode, width)
    table.clear()
    added = endCode
    width = widthMin
    widensAt = 1 << widthMin
    return false
  }

  output.write(clearCode, width)
  const [first] = plain
  if (first === undefined) {
    output.write(endCode, width)
    return output.finish()
  }
  // The code of the longest run that is in the table and ends at the byte before.
  let run = first
  for (let at = 1; at < plain.length; at++) {
    const byte = plain[at] ?? 0
    const longer = table.find(run, byte)
    if (longer !== undefined) {
      run = longer
      continue
    }
    output.write(run, width)
    if (countCode()) table.add(run, byte, added)
    run = byte
  }
  output.write(run, width)
  countCode()
  output.write(endCode, width)
  return output.finish()
}

interface Table {
  /** The code of this run with this byte behind it. */
  find(run: number, byte: number): number | undefined
  add(run: number, byte: number, code: number): void
  clear(): void
}

/** A hash table with open addressing, at least four times as large as it will ever be filled. 0 marks a free slot. */
function createTable(plainBytes: number): Table {
  const slotBits = Math.min(14, 34 - Math.clz32(plainBytes))
  const mask = (1 << slotBits) - 1
  const slots = new Uint32Array(mask + 1)

  /** Where the key lies, or the free slot where it would. */
  function slotOf(key: number): number {
    let slot = (Math.imul(key, 0x9e37_79b1) >>> (32 - slotBits)) & mask
    for (let entry = slots[slot] ?? 0; entry !== 0 && entry >>> 12 !== key; entry = slots[slot] ?? 0)
      slot = (slot + 1) & mask
    return slot
  }

  return {
    find(run, byte) {
      const entry = slots[slotOf((run << 8) | byte)] ?? 0
      return entry === 0 ? undefined : entry & lastCode
    },
    add(run, byte, code) {
      const key = (run << 8) | byte
      slots[slotOf(key)] = ((key << 12) | code) >>> 0
    },
    clear: () => void slots.fill(0),
  }
}

interface BitWriter {
  write(code: number, width: number): void
  finish(): Uint8Array
}

/** Low bit first. */
function createBitWriter(plainBytes: number): BitWriter {
  // At worst every byte costs a code of 12 bits, and now and then there is a clear.
  const output = new Uint8Array(Math.ceil(1.51 * plainBytes) + 16)
  let size = 0
  let bits = 0
  let bitCount = 0
  return {
    write(code, width) {
      bits |= code << bitCount
      for (bitCount += width; bitCount >= 8; bitCount -= 8) {
        output[size++] = bits & 0xff
        bits >>>= 8
      }
    },
    finish() {
      if (bitCount > 0) output[size++] = bits & 0xff
      return output.slice(0, size)
    },
  }
}
