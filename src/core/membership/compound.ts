/** Several messages in one packet: `07 | count u8 | count lengths u16 | the messages`, each with its type byte. */
import { concatBytes } from '../../kernel/bytes.ts'
import { invariant } from '../../kernel/invariant.ts'
import { messageType } from './messages.ts'
import type { Refusal } from './messages.ts'

/** What a compound adds to a packet, and to each of its parts: for filling a packet to its budget. */
export const compoundHeaderBytes = 2
export const compoundPartBytes = 2
export const compoundPartsMax = 255

/** At most `compoundPartsMax` parts of less than 64 KiB each, every one a message with its type byte. */
export function encodeCompound(parts: readonly Uint8Array[]): Uint8Array {
  invariant(parts.length <= compoundPartsMax, `a compound holds at most ${compoundPartsMax} parts, not ${parts.length}`)
  const header = new Uint8Array(compoundHeaderBytes + compoundPartBytes * parts.length)
  const view = new DataView(header.buffer)
  view.setUint8(0, messageType.compound)
  view.setUint8(1, parts.length)
  for (const [index, part] of parts.entries()) {
    invariant(part.length < 0x1_0000, `a part of a compound is shorter than 64 KiB, not ${part.length} bytes`)
    view.setUint16(compoundHeaderBytes + compoundPartBytes * index, part.length)
  }
  return concatBytes([header, ...parts])
}

/** The parts of a compound, and what is wrong with it: a cut-off tail costs only the parts it held. */
export function splitCompound(bytes: Uint8Array): {
  readonly parts: readonly Uint8Array[]
  readonly refusal?: Refusal
} {
  const count = bytes[1] ?? 0
  const tableEnd = 2 + 2 * count
  if (bytes.length < Math.max(2, tableEnd)) {
    return { parts: [], refusal: { reason: 'malformed', detail: `a compound of ${count} without its lengths` } }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: Uint8Array[] = []
  let offset = tableEnd
  for (let i = 0; i < count; i++) {
    const end = offset + view.getUint16(2 + 2 * i)
    if (end > bytes.length) {
      return {
        parts,
        refusal: { reason: 'malformed', detail: `compound cut off: ${count - i} of ${count} parts lost` },
      }
    }
    parts.push(bytes.subarray(offset, end))
    offset = end
  }
  return { parts }
}
