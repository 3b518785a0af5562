/** CRC-32 as in IEEE 802.3 (polynomial 0xedb88320 reflected): guards packets against corruption, not against people. */

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let remainder = index
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0)
  return remainder >>> 0
})

export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff
  // The index is masked to a byte, so the table always has an answer.
  for (const byte of bytes) remainder = (remainder >>> 8) ^ (table[(remainder ^ byte) & 0xff] ?? 0)
  return (remainder ^ 0xffffffff) >>> 0
}
