/**
 * What becomes of a section when somebody tells us more of it: per key the newer version stays, order and repetition of
 * what is heard make no difference. Versions are compared, clocks never.
 *
 * A record leaves in one of two ways: its tombstone is newer, or a whole section of an owner that has listed its engine
 * does not hold it any more. Until then records of an owner's earlier epoch are kept, for its containers run on while
 * the agent restarts.
 */
import type { HeldRecord, HeldSection } from './section.ts'
import { newerOf, putRecord } from './section.ts'
import { isNewer } from './record.ts'
import type { RecordKey } from './record.ts'

/** `record` is absent when the key vanished without a tombstone. */
export interface RecordChange {
  readonly key: RecordKey
  readonly record?: HeldRecord
  readonly previous?: HeldRecord
}

export interface Merge {
  readonly section: HeldSection
  readonly changes: readonly RecordChange[]
  /** How many records found no place. */
  readonly overflow: number
}

/** Single records: nothing is concluded from what is not among them. */
export function mergeRecords(held: HeldSection, heard: Iterable<HeldRecord>): Merge {
  const records = new Map(held.records)
  const changes: RecordChange[] = []
  let version = held.version
  let overflow = 0
  for (const record of heard) {
    const previous = records.get(record.key)
    if (!isNews(held, previous, record)) continue
    if (!putRecord(records, record)) {
      overflow++
      continue
    }
    version = newerOf(version, record.version)
    changes.push({ key: record.key, record, ...(previous === undefined ? {} : { previous }) })
  }
  if (changes.length === 0) return { section: held, changes, overflow }
  // A new epoch begins with an engine that has not been listed.
  const complete = held.complete && version.epoch === held.wholeAt.epoch
  return { section: { ...held, records, version, complete }, changes, overflow }
}

/** A whole section, from its owner or from anybody who holds it. */
export function mergeSection(held: HeldSection, heard: HeldSection): Merge {
  const merged = mergeRecords(held, heard.records.values())
  // With records left out, what is held is not whole.
  if (merged.overflow > 0) return merged
  const records = new Map(merged.section.records)
  const vanished = heard.complete ? takeVanished(records, heard) : []
  const wholeAt = newerOf(heard.wholeAt, held.wholeAt)
  const version = newerOf(merged.section.version, newerOf(heard.version, wholeAt))
  const complete = wholeAt.epoch === version.epoch && saysComplete([held, heard], wholeAt.epoch)
  const isSame =
    merged.changes.length === 0 &&
    vanished.length === 0 &&
    complete === held.complete &&
    !isNewer(version, held.version) &&
    !isNewer(wholeAt, held.wholeAt)
  if (isSame) return merged
  const section = { ...merged.section, records, version, wholeAt, complete }
  return { section, changes: [...merged.changes, ...vanished], overflow: 0 }
}

/** What a complete owner had dropped by then does not come back from somebody who was away when it did. */
function isNews(held: HeldSection, previous: HeldRecord | undefined, record: HeldRecord): boolean {
  if (previous !== undefined) return isNewer(record.version, previous.version)
  return !held.complete || isNewer(record.version, held.wholeAt)
}

function takeVanished(records: Map<RecordKey, HeldRecord>, heard: HeldSection): readonly RecordChange[] {
  const vanished = [...records.values()].filter(
    record => !heard.records.has(record.key) && !isNewer(record.version, heard.wholeAt),
  )
  for (const { key } of vanished) records.delete(key)
  return vanished.filter(({ body }) => body.kind !== 'removed').map(previous => ({ key: previous.key, previous }))
}

/** Complete once, complete for the rest of the epoch. */
function saysComplete(sections: readonly HeldSection[], epoch: number): boolean {
  return sections.some(section => section.complete && section.wholeAt.epoch === epoch)
}
