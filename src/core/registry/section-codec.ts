/**
 * One section as it travels, packed on its own, so that its size is known before it is added to anything and a broken one
 * spoils no other. Sections are values that never change, so each is packed once however many peers it goes to.
 */
import type { Millis, NodeName } from '../../kernel/units.ts'
import { decodePackable, encodePackable } from '../membership/index.ts'
import { fieldReader } from './field-reader.ts'
import { recordsPerSectionMax } from './limits.ts'
import { beforeAnything, newerOf } from './section.ts'
import type { HeldSection } from './section.ts'
import { packRecord, readOwner, readRecords, readVersion } from './wire.ts'

/** The packed section; the same bytes as long as they hold. */
export type SectionEncoder = (section: HeldSection, now: Millis) => Uint8Array

export interface DecodedSection {
  readonly section: HeldSection
  readonly brokenRecords: number
}

/** Tombstones tell their age; of the day they are kept, a minute may be missing. */
const agesHoldMs: Millis = 60_000

export function createSectionEncoder(): SectionEncoder {
  const packed = new WeakMap<HeldSection, { readonly bytes: Uint8Array; readonly holdsUntil: Millis }>()
  return (section, now) => {
    const known = packed.get(section)
    if (known !== undefined && now < known.holdsUntil) return known.bytes
    const bytes = encodeSection(section, now)
    const hasAges = [...section.records.values()].some(({ removedAt }) => removedAt !== undefined)
    packed.set(section, { bytes, holdsUntil: hasAges ? now + agesHoldMs : Infinity })
    return bytes
  }
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

/** Undefined when nothing of it can be used. `held` answers what is known of an owner already; see `readRecords`. */
export function decodeSection(
  bytes: Uint8Array,
  now: Millis,
  held: (owner: NodeName) => HeldSection | undefined,
): DecodedSection | undefined {
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
