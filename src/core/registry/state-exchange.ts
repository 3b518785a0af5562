/**
 * The user state of a push/pull: every section the sender holds, whole. Each is packed on its own, so that the size is
 * known before it is added and a broken one spoils no other.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { decodePackable, encodePackable } from '../membership/index.ts'
import { format, seal, unseal } from './envelope.ts'
import type { EnvelopeFault } from './envelope.ts'
import { fieldReader } from './field-reader.ts'
import { recordsPerSectionMax, sectionsMax, stateSizeBytesMax } from './limits.ts'
import { beforeAnything, newerOf } from './section.ts'
import type { HeldSection } from './section.ts'
import { packRecord, readOwner, readRecords, readVersion } from './wire.ts'

/** What MessagePack and the envelope add to one section, rounded up. */
const overheadBytes = 16

export interface EncodedState {
  readonly bytes: Uint8Array
  /** Sections that found no room; they are told to others by deltas only. */
  readonly omitted: number
}

export interface DecodedState {
  readonly sections: readonly HeldSection[]
  readonly brokenSections: number
  readonly brokenRecords: number
}

/** The first section is the most important one: the sender's own. */
export function encodeState(
  sections: Iterable<HeldSection>,
  now: Millis,
  sizeBytesMax: number = stateSizeBytesMax,
): EncodedState {
  const packed: Uint8Array[] = []
  let sizeBytes = overheadBytes
  let omitted = 0
  for (const section of sections) {
    const bytes = encodeSection(section, now)
    if (sizeBytes + bytes.length + overheadBytes > sizeBytesMax) {
      omitted++
      continue
    }
    sizeBytes += bytes.length + overheadBytes
    packed.push(bytes)
  }
  return { bytes: seal(format.wholeState, { s: packed }), omitted }
}

/** `held` answers what is known of an owner already; see `readRecords`. */
export function decodeState(
  bytes: Uint8Array,
  now: Millis,
  held: (owner: NodeName) => HeldSection | undefined = () => undefined,
): Result<DecodedState, EnvelopeFault> {
  const value = unseal(format.wholeState, bytes)
  if (!value.ok) return value
  const reader = fieldReader(value.value)
  const items = reader.items('s', sectionsMax)
  if (reader.failure !== undefined) return fail('malformed')
  const read = items.map(item => (item instanceof Uint8Array ? decodeSection(item, now, held) : undefined))
  const whole = read.filter(section => section !== undefined)
  return ok({
    sections: whole.map(({ section }) => section),
    brokenSections: read.length - whole.length,
    brokenRecords: whole.reduce((sum, { brokenRecords }) => sum + brokenRecords, 0),
  })
}

/** `e` and `r` are up to where the section is whole, not its newest version: only that says what is absent. */
function encodeSection(section: HeldSection, now: Millis): Uint8Array {
  return encodePackable({
    o: section.owner,
    e: section.wholeAt.epoch,
    r: section.wholeAt.revision,
    c: section.complete ? true : undefined,
    l: [...section.records.values()].map(record => packRecord(record, now)),
  })
}

function decodeSection(
  bytes: Uint8Array,
  now: Millis,
  held: (owner: NodeName) => HeldSection | undefined,
): { readonly section: HeldSection; readonly brokenRecords: number } | undefined {
  const value = decodePackable(bytes)
  if (!value.ok) return undefined
  const reader = fieldReader(value.value)
  const owner = readOwner(reader)
  const claimed = readVersion(reader)
  const saysComplete = reader.has('c') && reader.flag('c')
  const items = reader.items('l', recordsPerSectionMax)
  if (reader.failure !== undefined) return undefined
  const { records, brokenRecords } = readRecords(items, now, held(owner)?.records)
  // With a record left out it is not whole, and what is absent proves nothing.
  const wholeAt = brokenRecords === 0 ? claimed : beforeAnything
  const version = records.reduce((newest, record) => newerOf(newest, record.version), wholeAt)
  const section: HeldSection = {
    owner,
    version,
    wholeAt,
    complete: saysComplete && brokenRecords === 0,
    records: new Map(records.map(record => [record.key, record])),
  }
  return { section, brokenRecords }
}
