/**
 * What a node holds, in some forty bytes per section instead of whole: enough for a peer to see which of its own sections
 * would tell something new. Both sides of a push/pull send theirs and both act on the other's, so nobody has to ask.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { byText } from '../../kernel/units.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { format, seal, unseal } from './envelope.ts'
import type { EnvelopeFault } from './envelope.ts'
import { fieldReader } from './field-reader.ts'
import type { FieldReader } from './field-reader.ts'
import { sectionsMax, tombstoneMs } from './limits.ts'
import { isNewer } from './record.ts'
import type { Version } from './record.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { readName, readOwner, readVersion } from './wire.ts'

export interface SectionDigest {
  readonly owner: NodeName
  readonly wholeAt: Version
  readonly complete: boolean
  /** Over keys and versions. Of 32 bits: two different sections of one owner look alike once in four billion. */
  readonly hash: number
}

export interface Digest {
  readonly sender: NodeName
  readonly sections: readonly SectionDigest[]
}

export type Digester = (section: HeldSection, now: Millis) => SectionDigest

/**
 * Tombstones end at slightly different moments on every node, and a section must not look different for it: in their last
 * hour they are not counted.
 */
const tombstoneCountsMs: Millis = tombstoneMs - 3_600_000

/** Sections never change, so each is digested once, and again when a tombstone of it stops counting. */
export function createDigester(): Digester {
  const known = new WeakMap<HeldSection, { readonly digest: SectionDigest; readonly holdsUntil: Millis }>()
  return (section, now) => {
    const kept = known.get(section)
    if (kept !== undefined && now < kept.holdsUntil) return kept.digest
    const { owner, wholeAt, complete, records } = section
    const counted = [...records.values()].filter(record => now < countsUntil(record))
    const digest = { owner, wholeAt, complete, hash: hashOf(counted) }
    const holdsUntil = counted.reduce((earliest, record) => Math.min(earliest, countsUntil(record)), Infinity)
    known.set(section, { digest, holdsUntil })
    return digest
  }
}

function countsUntil({ removedAt }: HeldRecord): Millis {
  return removedAt === undefined ? Infinity : removedAt + tombstoneCountsMs
}

/** FNV-1a over `key epoch.revision` of every record, in order of the keys. */
function hashOf(records: readonly HeldRecord[]): number {
  let hash = 0x811c9dc5
  for (const { key, version } of [...records].sort((a, b) => byText(a.key, b.key))) {
    const text = `${key} ${version.epoch}.${version.revision}\n`
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193)
  }
  return hash >>> 0
}

/**
 * Whether a peer that holds `theirs` of an owner could learn something from `ours`. Rather once too often: a section that
 * tells nothing new costs its bytes, one that is not sent is missing.
 * - what is whole later says what is gone, and the word of completeness says that what is absent does not exist
 * - where records differ, whoever is not complete takes any; whoever is takes those that came after it was whole
 */
export function teaches(
  ours: SectionDigest & { readonly version: Version },
  theirs: SectionDigest | undefined,
): boolean {
  if (theirs === undefined || isNewer(ours.wholeAt, theirs.wholeAt)) return true
  if (ours.complete && !theirs.complete && ours.wholeAt.epoch === theirs.wholeAt.epoch) return true
  if (ours.hash === theirs.hash) return false
  const isWholeAlike = !isNewer(theirs.wholeAt, ours.wholeAt)
  return isWholeAlike || !theirs.complete || isNewer(ours.version, theirs.wholeAt)
}

export function encodeDigest({ sender, sections }: Digest): Uint8Array {
  return seal(format.digest, {
    n: sender,
    l: sections.map(({ owner, wholeAt, complete, hash }) => ({
      o: owner,
      e: wholeAt.epoch,
      r: wholeAt.revision,
      c: complete ? true : undefined,
      h: hash,
    })),
  })
}

/** One broken entry spoils all: whoever cannot list what it holds would only be sent too much. */
export function decodeDigest(bytes: Uint8Array): Result<Digest, EnvelopeFault> {
  const value = unseal(format.digest, bytes)
  if (!value.ok) return value
  const reader = fieldReader(value.value)
  const sender = readName(reader, 'n')
  const sections = reader.members('l', sectionsMax, readSectionDigest)
  return reader.failure === undefined ? ok({ sender, sections }) : fail('malformed')
}

function readSectionDigest(reader: FieldReader): SectionDigest {
  return {
    owner: readOwner(reader),
    wholeAt: readVersion(reader),
    complete: reader.has('c') && reader.flag('c'),
    hash: reader.whole('h', 0, 0xffff_ffff),
  }
}
