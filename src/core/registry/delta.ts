/** Some records of one owner, as they travel in a user message. Says nothing about records that are not in it. */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { format, seal, unseal } from './envelope.ts'
import type { EnvelopeFault } from './envelope.ts'
import { fieldReader } from './field-reader.ts'
import { recordsPerSectionMax } from './limits.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { packRecord, readName, readOwner, readRecords } from './wire.ts'

export interface Delta {
  readonly owner: NodeName
  /** The owner tells every member itself: nobody needs to pass it on. */
  readonly direct: boolean
  /** Who passes it on, not by gossip but to us directly; it need not hear it again. */
  readonly sender?: NodeName
  readonly records: readonly HeldRecord[]
}

export interface DecodedDelta extends Delta {
  readonly brokenRecords: number
}

export function encodeDelta({ owner, direct, sender, records }: Delta, now: Millis): Uint8Array {
  return seal(format.delta, {
    o: owner,
    d: direct ? true : undefined,
    n: sender,
    l: records.map(record => packRecord(record, now)),
  })
}

/** `held` answers what is known of an owner already; see `readRecords`. Most of gossip is known when it arrives. */
export function decodeDelta(
  bytes: Uint8Array,
  now: Millis,
  held: (owner: NodeName) => HeldSection | undefined = () => undefined,
): Result<DecodedDelta, EnvelopeFault> {
  const value = unseal(format.delta, bytes)
  if (!value.ok) return value
  const reader = fieldReader(value.value)
  const owner = readOwner(reader)
  const direct = reader.has('d') && reader.flag('d')
  const sender = reader.has('n') ? { sender: readName(reader, 'n') } : {}
  const items = reader.items('l', recordsPerSectionMax)
  if (reader.failure !== undefined) return fail('malformed')
  const { records, brokenRecords } = readRecords(items, now, held(owner)?.records)
  return ok({ owner, direct, ...sender, records, brokenRecords })
}
