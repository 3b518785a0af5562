/** Records and sections inside messages. The letters are the protocol between versions: add, never reuse. */
import type { Packable } from '../membership/index.ts'
import { isNodeName, nodeName } from '../../kernel/units.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { decodeBody } from './encode-record.ts'
import { fieldReader } from './field-reader.ts'
import type { FieldReader } from './field-reader.ts'
import { keyLengthMax, recordSizeBytesMax, tombstoneMs, versionMax } from './limits.ts'
import { isNewer } from './record.ts'
import type { RecordKey, Version } from './record.ts'
import type { HeldRecord } from './section.ts'

type PackedMap = { readonly [letter: string]: Packable | undefined }

type HeldRecords = ReadonlyMap<RecordKey, HeldRecord>

const keyPattern = /^[\w./:-]+$/
const nodeNameLengthMax = 128

export function isRecordKey(key: RecordKey): boolean {
  return key.length <= keyLengthMax && keyPattern.test(key)
}

/** A tombstone tells its age, so that it ends everywhere at about the same time and nobody keeps it alive by retelling. */
export function packRecord(record: HeldRecord, now: Millis): PackedMap {
  const age = record.removedAt === undefined ? undefined : Math.max(0, Math.floor((now - record.removedAt) / 1_000))
  return {
    k: record.key,
    e: record.version.epoch,
    r: record.version.revision,
    b: record.encoded,
    a: age === 0 ? undefined : age,
  }
}

/** Undefined for a record that is broken; `over` for a tombstone whose time is over. */
function readRecord(packed: Packable, now: Millis, held: HeldRecords | undefined): HeldRecord | 'over' | undefined {
  const reader = fieldReader(packed)
  const key = reader.text('k', keyLengthMax, keyPattern)
  const version = readVersion(reader)
  const encoded = reader.bytes('b', recordSizeBytesMax)
  const ageMs = reader.has('a') ? reader.whole('a', 0, Number.MAX_SAFE_INTEGER) * 1_000 : 0
  if (reader.failure !== undefined) return undefined
  const known = held?.get(key)
  if (known !== undefined && !isNewer(version, known.version)) return known
  const body = decodeBody(key, encoded)
  if (!body.ok) return undefined
  if (body.value.kind !== 'removed') return { key, version, body: body.value, encoded }
  return ageMs >= tombstoneMs ? 'over' : { key, version, body: body.value, encoded, removedAt: now - ageMs }
}

export function readVersion(reader: FieldReader): Version {
  return { epoch: reader.whole('e', 0, versionMax), revision: reader.whole('r', 0, versionMax) }
}

export function readOwner(reader: FieldReader): NodeName {
  return readName(reader, 'o')
}

export function readName(reader: FieldReader, letter: string): NodeName {
  const name = reader.text(letter, nodeNameLengthMax)
  if (isNodeName(name)) return name
  reader.fail(`${letter}: not a node name`)
  return nodeName('unreadable')
}

/**
 * A broken record does not spoil its neighbours. Of what is no newer than what is held the body is not even looked at and
 * the held record stands in: in a push/pull that is nearly all, and reading it anew every time would stall the node.
 */
export function readRecords(
  items: readonly Packable[],
  now: Millis,
  held?: HeldRecords,
): { readonly records: readonly HeldRecord[]; readonly brokenRecords: number } {
  const read = items.map(item => readRecord(item, now, held))
  return {
    records: read.filter(record => record !== undefined && record !== 'over'),
    brokenRecords: read.filter(record => record === undefined).length,
  }
}
