/** `0c | crc32 u32 | message`, on packets alone: finds what the network has damaged. Peers of protocol 5 read it. */
import { concatBytes } from '../../kernel/bytes.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { crc32 } from './crc32.ts'
import { messageType } from './messages.ts'
import type { Refusal } from './messages.ts'

export const crcBytes = 5

export function addCrc(bytes: Uint8Array): Uint8Array {
  const header = new Uint8Array(crcBytes)
  const view = new DataView(header.buffer)
  view.setUint8(0, messageType.hasCrc)
  view.setUint32(1, crc32(bytes))
  return concatBytes([header, bytes])
}

/** Passes on what carries none. */
export function checkCrc(bytes: Uint8Array): Result<Uint8Array, Refusal> {
  if (bytes[0] !== messageType.hasCrc) return ok(bytes)
  if (bytes.length < crcBytes) return fail({ reason: 'malformed', detail: 'a checksum cut off' })
  const told = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1)
  const inner = bytes.subarray(crcBytes)
  const found = crc32(inner)
  if (told === found) return ok(inner)
  return fail({ reason: 'badChecksum', detail: `checksum ${told.toString(16)} told, ${found.toString(16)} found` })
}
