/**
 * Our own section, the only one we write. Every change raises the revision by one; a restart, or a peer that holds
 * something of ours which this run did not write, raises the epoch.
 */
import { equalBytes } from '../../kernel/bytes.ts'
import { invariant } from '../../kernel/invariant.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { decodeBody, encodeBody } from './encode-record.ts'
import { recordSizeBytesMax, recordsPerSectionMax, versionMax } from './limits.ts'
import type { RecordChange } from './merge.ts'
import { instanceKey, isNewer } from './record.ts'
import type { RecordBody, RecordKey, Version } from './record.ts'
import { emptySection, putRecord, withoutOldTombstones } from './section.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { isRecordKey } from './wire.ts'

export interface OwnChange {
  readonly key: RecordKey
  readonly body: RecordBody
}

export interface OwnRefused {
  readonly key: RecordKey
  readonly refusal: 'ownTooLarge' | 'ownUnreadable' | 'ownSectionFull'
}

export interface OwnSection {
  current(): HeldSection
  /** Bodies that are already there are passed over, so callers may repeat themselves. */
  publish(changes: readonly OwnChange[], now: Millis): readonly (RecordChange | OwnRefused)[]
  /** Answers the tombstones for what peers still hold of us. */
  complete(now: Millis): readonly RecordChange[]
  /**
   * What a peer holds about us. Keys that are not ours any more become tombstones, at once or when we are complete.
   * Answers the epoch we must rise to when the peer holds what this run did not write.
   */
  compare(version: Version, records: Iterable<HeldRecord>): { readonly epochNeeded?: number }
  /** Tombstones due for keys that `compare` found, once complete. */
  buryStale(now: Millis): readonly RecordChange[]
  /** Writes all records anew under a higher epoch. */
  raiseEpoch(epoch: number): void
  dropOldTombstones(now: Millis): void
}

export function createOwnSection(owner: NodeName, firstEpoch: number): OwnSection {
  let epoch = firstEpoch
  let revision = 0
  let section: HeldSection = { ...emptySection(owner), version: { epoch, revision }, wholeAt: { epoch, revision } }
  const stale = new Set<RecordKey>()

  const keep = (records: ReadonlyMap<RecordKey, HeldRecord>, complete: boolean): void => {
    const version = { epoch, revision }
    section = { owner, version, wholeAt: version, complete, records }
  }

  function write(
    records: Map<RecordKey, HeldRecord>,
    { key, body }: OwnChange,
    now: Millis,
  ): RecordChange | OwnRefused | undefined {
    invariant(body.kind !== 'instance' || key === instanceKey(body.instance.containerId), `${key} names its container`)
    const encoded = encodeBody(body)
    const previous = records.get(key)
    if (previous !== undefined && equalBytes(previous.encoded, encoded)) return undefined
    const refusal = whyUnfit(key, encoded)
    if (refusal !== undefined) return { key, refusal }
    const removedAt = body.kind === 'removed' ? { removedAt: now } : {}
    const record: HeldRecord = { key, version: { epoch, revision: revision + 1 }, body, encoded, ...removedAt }
    if (!putRecord(records, record)) return { key, refusal: 'ownSectionFull' }
    revision++
    return { key, record, ...(previous === undefined ? {} : { previous }) }
  }

  function publish(changes: readonly OwnChange[], now: Millis): readonly (RecordChange | OwnRefused)[] {
    const records = new Map(section.records)
    const results: (RecordChange | OwnRefused)[] = []
    for (const change of changes) {
      // What was never there needs no tombstone.
      if (change.body.kind === 'removed' && !records.has(change.key)) continue
      const result = write(records, change, now)
      if (result !== undefined) results.push(result)
    }
    if (results.length > 0) keep(records, section.complete)
    return results
  }

  function buryStale(now: Millis): readonly RecordChange[] {
    if (!section.complete || stale.size === 0) return []
    const records = new Map(section.records)
    const changes: RecordChange[] = []
    for (const key of stale) {
      const result = records.has(key) ? undefined : write(records, { key, body: { kind: 'removed' } }, now)
      if (result !== undefined && !('refusal' in result)) changes.push(result)
    }
    stale.clear()
    if (changes.length > 0) keep(records, true)
    return changes
  }

  return {
    current: () => section,
    publish,
    complete(now) {
      keep(section.records, true)
      return buryStale(now)
    },
    compare(version, records) {
      let foreign = isNewer(version, section.version) ? version.epoch : 0
      for (const record of records) {
        const ours = section.records.get(record.key)
        if (isNewer(record.version, (ours ?? section).version)) foreign = Math.max(foreign, record.version.epoch)
        if (ours === undefined && record.body.kind !== 'removed' && stale.size < recordsPerSectionMax)
          stale.add(record.key)
      }
      return foreign === 0 ? {} : { epochNeeded: Math.min(versionMax, foreign + 1) }
    },
    buryStale,
    raiseEpoch(next) {
      epoch = Math.max(epoch, next)
      const rewritten = [...section.records].map(([key, record]): [RecordKey, HeldRecord] => [
        key,
        { ...record, version: { epoch, revision: ++revision } },
      ])
      keep(new Map(rewritten), section.complete)
    },
    dropOldTombstones(now) {
      section = withoutOldTombstones(section, now)
    },
  }
}

/** What peers would not accept or not understand is not sent. */
function whyUnfit(key: RecordKey, encoded: Uint8Array): OwnRefused['refusal'] | undefined {
  if (encoded.length > recordSizeBytesMax) return 'ownTooLarge'
  const readBack = decodeBody(key, encoded)
  return isRecordKey(key) && readBack.ok && readBack.value.kind !== 'unknown' ? undefined : 'ownUnreadable'
}
