/**
 * What lies around messages, and in which order. A packet comes as label, encryption, checksum, then compressed and
 * compound in any nesting; a stream as label, encryption, compressed. Each layer is a file of its own, this one puts them
 * on; what is only ever outermost on a packet is taken off here too. Must not know what the messages inside mean.
 */
import { ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { addCrc, checkCrc } from './checksum.ts'
import { compressed } from './compression.ts'
import { openPacket, sealPacket, sealStream } from './encryption.ts'
import { addLabel, takeOffLabel } from './label.ts'
import type { Refusal } from './messages.ts'
import type { Protection } from './protection.ts'

/** Opens its wrapper when it is there, passes other bytes through, or refuses. */
type Layer = (bytes: Uint8Array, protection: Protection) => Result<Uint8Array, Refusal>

const packetLayers: readonly Layer[] = [
  (bytes, { label }) => takeOffLabel(bytes, label),
  openPacket,
  bytes => checkCrc(bytes),
]

/** Takes off what is only ever outermost on a packet. */
export function unwrapPacket(bytes: Uint8Array, protection: Protection): Result<Uint8Array, Refusal> {
  let inner = bytes
  for (const layer of packetLayers) {
    const opened = layer(inner, protection)
    if (!opened.ok) return opened
    inner = opened.value
  }
  return ok(inner)
}

export interface Wrapping {
  readonly protection: Protection
  readonly compress: boolean
}

/** `message` is one message or a compound. */
export function wrapPacket(message: Uint8Array, { protection, compress, checksum }: PacketWrapping): Uint8Array {
  const packed = compress ? compressed(message) : message
  return addLabel(sealPacket(checksum ? addCrc(packed) : packed, protection), protection.label)
}

export interface PacketWrapping extends Wrapping {
  readonly checksum: boolean
}

/**
 * Who wrote the bytes of a stream. The one who opened it begins with the label; the answer carries none, for both know by
 * then whom they talk to, and encryption vouches for the label on the way back too.
 */
export type StreamSide = 'opener' | 'answerer'

export function wrapStream(message: Uint8Array, side: StreamSide, { protection, compress }: Wrapping): Uint8Array {
  const sealed = sealStream(compress ? compressed(message) : message, protection)
  return side === 'opener' ? addLabel(sealed, protection.label) : sealed
}
