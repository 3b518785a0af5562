/** The messages of a packet in clear, taken apart without the product's own decoder. */

const compoundType = 7
const crcType = 12
const crcBytes = 5

export function packetParts(packet: Uint8Array): readonly Uint8Array[] {
  const message = packet[0] === crcType ? packet.subarray(crcBytes) : packet
  if (message[0] !== compoundType) return [message]
  const count = message[1] ?? 0
  const parts: Uint8Array[] = []
  let at = 2 + 2 * count
  for (let i = 0; i < count; i++) {
    const length = ((message[2 + 2 * i] ?? 0) << 8) | (message[3 + 2 * i] ?? 0)
    parts.push(message.subarray(at, at + length))
    at += length
  }
  return parts
}
