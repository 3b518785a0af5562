/**
 * The simplest bytes a LZW decoder must accept: 9-bit literals with a clear before the table could widen the codes. Packs
 * nothing, but lets a test put any message inside a compressed wrapper without trusting an encoder of the product.
 */
export function literalLzw(plain: Uint8Array): Uint8Array {
  const codes = [...plain].flatMap((byte, index) => (index % 200 === 0 ? [256, byte] : [byte]))
  const packed: number[] = []
  let bits = 0
  let bitCount = 0
  for (const code of [...codes, 257]) {
    bits |= code << bitCount
    bitCount += 9
    for (; bitCount >= 8; bitCount -= 8, bits >>>= 8) packed.push(bits & 0xff)
  }
  if (bitCount > 0) packed.push(bits)
  return Uint8Array.from(packed)
}
