/**
 * What became of a snapshot, and the snapshot again from that. Only changes cross the door, and what did not change is the
 * same object afterwards as before, because the view is built by identity. Pure.
 * Invariant: for any two snapshots a and b, `applyChange(a, changeBetween(a, b))` equals b.
 */
import type { Member } from '../../core/membership/index.ts'
import type { RecordKey, Section, SectionRecord } from '../../core/registry/index.ts'
import { equalBytes } from '../../kernel/bytes.ts'
import { byText, sameAddress } from '../../kernel/units.ts'
import type { ClusterSnapshot } from '../cluster-handle.ts'
import type { SectionChange, SnapshotChange } from './messages.ts'

/** Before anything was heard. */
export const noSnapshot: ClusterSnapshot = { members: [], sections: new Map(), synced: false, expectsPeers: true }

/** Undefined: they say the same. Sections and records that are the same object are not looked at. */
export function changeBetween(before: ClusterSnapshot, after: ClusterSnapshot): SnapshotChange | undefined {
  if (before === after) return undefined
  const membersBefore = new Map(before.members.map(member => [member.name, member]))
  const members = after.members.filter(member => !isSameMember(membersBefore.get(member.name), member))
  const names = new Set(after.members.map(({ name }) => name))
  const change: SnapshotChange = {
    members: members.map(alone),
    membersGone: [...membersBefore.keys()].filter(name => !names.has(name)),
    sections: [...after.sections.values()].flatMap(section =>
      sectionChange(before.sections.get(section.owner), section),
    ),
    sectionsGone: [...before.sections.keys()].filter(owner => !after.sections.has(owner)),
    synced: after.synced,
    expectsPeers: after.expectsPeers,
  }
  const isSame =
    before.synced === after.synced &&
    before.expectsPeers === after.expectsPeers &&
    !changesMembers(change) &&
    !changesSections(change)
  return isSame ? undefined : change
}

export function applyChange(before: ClusterSnapshot, change: SnapshotChange): ClusterSnapshot {
  return {
    members: changesMembers(change) ? changedMembers(before.members, change) : before.members,
    sections: changesSections(change) ? changedSections(before.sections, change) : before.sections,
    synced: change.synced,
    expectsPeers: change.expectsPeers,
  }
}

const changesMembers = ({ members, membersGone }: SnapshotChange): boolean => members.length + membersGone.length > 0
const changesSections = ({ sections, sectionsGone }: SnapshotChange): boolean =>
  sections.length + sectionsGone.length > 0

function isSameMember(a: Member | undefined, b: Member): boolean {
  return (
    a !== undefined &&
    a.status === b.status &&
    a.statusSince === b.statusSince &&
    a.incarnation === b.incarnation &&
    sameAddress(a.address, b.address) &&
    equalBytes(a.meta, b.meta) &&
    equalBytes(a.versions, b.versions)
  )
}

/** Bytes may be a window into a packet; copied with a message, the whole packet would travel. */
function alone(member: Member): Member {
  return { ...member, meta: new Uint8Array(member.meta), versions: new Uint8Array(member.versions) }
}

function sectionChange(before: Section | undefined, after: Section): readonly SectionChange[] {
  if (before === after) return []
  const { owner, version, complete, records } = after
  const changed: SectionRecord[] = []
  for (const [key, record] of records) if (before?.records.get(key) !== record) changed.push(toldPart(record))
  const recordsGone = [...(before?.records.keys() ?? [])].filter(key => !records.has(key))
  return [{ owner, version, complete, records: changed, recordsGone }]
}

/** A record as it is held also has the bytes it came in; nobody reads them on the other side. */
function toldPart({ key, version, body }: SectionRecord): SectionRecord {
  return { key, version, body }
}

function changedMembers(before: readonly Member[], { members, membersGone }: SnapshotChange): readonly Member[] {
  const byName = new Map(before.map(member => [member.name, member]))
  for (const name of membersGone) byName.delete(name)
  for (const member of members) byName.set(member.name, member)
  return [...byName.values()].sort((a, b) => byText(a.name, b.name))
}

function changedSections(
  before: ClusterSnapshot['sections'],
  { sections, sectionsGone }: SnapshotChange,
): ClusterSnapshot['sections'] {
  const changed = new Map(before)
  for (const owner of sectionsGone) changed.delete(owner)
  for (const change of sections) changed.set(change.owner, changedSection(before.get(change.owner), change))
  return changed
}

function changedSection(
  before: Section | undefined,
  { owner, version, complete, records, recordsGone }: SectionChange,
): Section {
  const all = new Map<RecordKey, SectionRecord>(before?.records)
  for (const key of recordsGone) all.delete(key)
  for (const record of records) all.set(record.key, record)
  return { owner, version, complete, records: all }
}
