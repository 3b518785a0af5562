/**
 * Sections in messages: every section the sender holds as user state of a push/pull, or some of them sent straight to a
 * peer that lacks them.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { format, seal, unseal } from './envelope.ts'
import type { EnvelopeFault } from './envelope.ts'
import { fieldReader } from './field-reader.ts'
import { sectionsMax } from './limits.ts'
import { decodeSection } from './section-codec.ts'
import type { HeldSection } from './section.ts'
import { readName } from './wire.ts'

/** What MessagePack and the envelope add to one section, and to a message around its sections, rounded up. */
export const overheadBytes = 16

export interface DecodedState {
  /** Who sent it; older agents do not say. */
  readonly sender: NodeName | undefined
  readonly sections: readonly HeldSection[]
  readonly brokenSections: number
  readonly brokenRecords: number
}

export function encodeWholeState(sender: NodeName, packed: readonly Uint8Array[]): Uint8Array {
  return seal(format.wholeState, { n: sender, s: packed })
}

/** Whole sections, outside of any push/pull. */
export function encodeSections(sender: NodeName, packed: readonly Uint8Array[]): Uint8Array {
  return seal(format.sections, { n: sender, s: packed })
}

/** What either of the two encodes. `held` answers what is known of an owner already; see `readRecords`. */
export function decodeState(
  formatByte: typeof format.wholeState | typeof format.sections,
  bytes: Uint8Array,
  now: Millis,
  held: (owner: NodeName) => HeldSection | undefined = () => undefined,
): Result<DecodedState, EnvelopeFault> {
  const value = unseal(formatByte, bytes)
  if (!value.ok) return value
  const reader = fieldReader(value.value)
  const sender = reader.has('n') ? readName(reader, 'n') : undefined
  const items = reader.items('s', sectionsMax)
  if (reader.failure !== undefined) return fail('malformed')
  const read = items.map(item => (item instanceof Uint8Array ? decodeSection(item, now, held) : undefined))
  const whole = read.filter(section => section !== undefined)
  return ok({
    sender,
    sections: whole.map(({ section }) => section),
    brokenSections: read.length - whole.length,
    brokenRecords: whole.reduce((sum, { brokenRecords }) => sum + brokenRecords, 0),
  })
}
