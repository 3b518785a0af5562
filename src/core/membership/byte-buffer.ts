/** Collects chunks into one run of bytes: bounded, and linear in their sum however small the chunks are. */

export interface ByteBuffer {
  readonly sizeBytes: number
  /** All that was appended; a view that the next `append` may leave behind. */
  bytes(): Uint8Array
  /** False when the limit would be passed; then nothing was taken. */
  append(chunk: Uint8Array): boolean
}

export function createByteBuffer(sizeBytesMax: number): ByteBuffer {
  let storage = new Uint8Array(0)
  let size = 0
  return {
    get sizeBytes() {
      return size
    },
    bytes: () => storage.subarray(0, size),
    append(chunk) {
      const wanted = size + chunk.length
      if (wanted > sizeBytesMax) return false
      if (wanted > storage.length) {
        const larger = new Uint8Array(Math.min(sizeBytesMax, Math.max(wanted, 2 * storage.length)))
        larger.set(storage.subarray(0, size))
        storage = larger
      }
      storage.set(chunk, size)
      size = wanted
      return true
    },
  }
}
