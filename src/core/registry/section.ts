/**
 * A section as it is held: what the outside sees, and what is needed to merge it and pass it on. Values are never
 * changed, a change makes a new section, so whoever was handed one may keep it.
 */
import type { Millis, NodeName } from '../../kernel/units.ts'
import { recordsPerSectionMax, tombstoneMs } from './limits.ts'
import { isNewer } from './record.ts'
import type { RecordKey, Section, SectionRecord, Version } from './record.ts'

export interface HeldRecord extends SectionRecord {
  /** The body as its author wrote it; this is what is passed on. */
  readonly encoded: Uint8Array
  /** Tombstones only: when the record was removed, on our own clock. */
  readonly removedAt?: Millis
}

export interface HeldSection extends Section {
  /**
   * All the owner had said up to this version is in here or has been replaced since. `version` may be ahead of it:
   * deltas arrive singly and some are lost. Only a whole section moves it.
   */
  readonly wholeAt: Version
  readonly records: ReadonlyMap<RecordKey, HeldRecord>
}

export const beforeAnything: Version = { epoch: 0, revision: 0 }

export function emptySection(owner: NodeName): HeldSection {
  return { owner, version: beforeAnything, wholeAt: beforeAnything, complete: false, records: new Map() }
}

export function newerOf(a: Version, b: Version): Version {
  return isNewer(a, b) ? a : b
}

/**
 * Puts a record into a map that is being built. When the section is full the oldest tombstone makes room: what it
 * guards against is also settled by the next whole section. False: full of live records.
 */
export function putRecord(records: Map<RecordKey, HeldRecord>, record: HeldRecord): boolean {
  if (records.size >= recordsPerSectionMax && !records.has(record.key)) {
    const oldest = oldestTombstone(records)
    if (oldest === undefined) return false
    records.delete(oldest)
  }
  records.set(record.key, record)
  return true
}

/** The section without tombstones that have done their duty; the same object when there are none. */
export function withoutOldTombstones(section: HeldSection, now: Millis): HeldSection {
  const isOld = ({ removedAt }: HeldRecord): boolean => removedAt !== undefined && now - removedAt >= tombstoneMs
  if (![...section.records.values()].some(isOld)) return section
  return { ...section, records: new Map([...section.records].filter(([, record]) => !isOld(record))) }
}

function oldestTombstone(records: ReadonlyMap<RecordKey, HeldRecord>): RecordKey | undefined {
  let oldest: HeldRecord | undefined
  for (const record of records.values())
    if (record.removedAt !== undefined && record.removedAt < (oldest?.removedAt ?? Infinity)) oldest = record
  return oldest?.key
}
