import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  nat,
  property,
  record,
  tuple,
  uniqueArray,
} from 'fast-check'
import { expect, test } from 'vitest'
import { instanceKey } from '../../core/registry/index.ts'
import type { RecordKey, Section, SectionRecord } from '../../core/registry/index.ts'
import { nodeName } from '../../kernel/units.ts'
import type { NodeName } from '../../kernel/units.ts'
import { aMember, anInstance } from '../../testing/builders.ts'
import type { ClusterSnapshot } from '../cluster-handle.ts'
import { applyChange, changeBetween, noSnapshot } from './snapshot-change.ts'

function aSection(owner: string, revisions: Readonly<Record<string, number>>, before?: Section): Section {
  const records = new Map<RecordKey, SectionRecord>()
  for (const [id, revision] of Object.entries(revisions)) {
    const key = instanceKey(id)
    const known = before?.records.get(key)
    const body = { kind: 'instance' as const, instance: anInstance({ containerId: id }) }
    const isSame = known?.version.revision === revision
    records.set(key, isSame ? known : { key, version: { epoch: 1, revision }, body })
  }
  const revision = Math.max(0, ...Object.values(revisions))
  return { owner: nodeName(owner), version: { epoch: 1, revision }, complete: true, records }
}

function aSnapshot(over: Partial<ClusterSnapshot> = {}): ClusterSnapshot {
  const sections = new Map([aSection('a', { x: 1, y: 2 }), aSection('b', { z: 1 })].map(one => [one.owner, one]))
  const members = ['a', 'b', 'c'].map(name => aMember({ name }))
  return { members, sections, synced: true, expectsPeers: true, ...over }
}

const b = nodeName('b')
const afterCrossing = (before: ClusterSnapshot, after: ClusterSnapshot): ClusterSnapshot => {
  const change = changeBetween(before, after)
  return change === undefined ? before : applyChange(before, structuredClone(change))
}

test('equal snapshots have no change between them, whoever made them', () => {
  const one = aSnapshot()
  const copy = { ...one, members: one.members.map(member => ({ ...member, meta: Uint8Array.from(member.meta) })) }
  expect(changeBetween(one, copy)).toBeUndefined()
})

test('one changed record is all that crosses, and all else is the same object as before', () => {
  const before = aSnapshot()
  const known = before.sections.get(b)
  const after = { ...before, sections: new Map([...before.sections, [b, aSection('b', { z: 1, w: 2 }, known)]]) }
  const change = changeBetween(before, after)
  expect(change?.members).toEqual([])
  expect(change?.sections).toMatchObject([{ owner: 'b', records: [{ key: 'i/w' }], recordsGone: [] }])
  const mirror = afterCrossing(before, after)
  expect(mirror).toEqual(after)
  expect(mirror.members).toBe(before.members)
  expect(mirror.sections.get(nodeName('a'))).toBe(before.sections.get(nodeName('a')))
  expect(mirror.sections.get(b)?.records.get('i/z')).toBe(known?.records.get('i/z'))
})

test('one changed member is all that crosses, in its place', () => {
  const before = aSnapshot()
  const members = before.members.map(member =>
    member.name === 'b' ? { ...member, status: 'suspect' as const } : member,
  )
  const mirror = afterCrossing(before, { ...before, members })
  expect(mirror.members).toEqual(members)
  expect(mirror.members[0]).toBe(before.members[0])
  expect(mirror.members[2]).toBe(before.members[2])
  expect(mirror.sections).toBe(before.sections)
})

test('of a held record the bytes it came in stay behind, and of a packet all that is not the member’s', () => {
  const section = aSection('b', { z: 1 })
  const held = [...section.records].map(([key, record]) => [key, { ...record, encoded: new Uint8Array(9) }] as const)
  const meta = new Uint8Array(60_000).subarray(10, 20)
  const change = changeBetween(noSnapshot, {
    ...noSnapshot,
    members: [aMember({ meta })],
    sections: new Map([[b, { ...section, records: new Map(held) }]]),
  })
  expect(change?.sections[0]?.records[0]).not.toHaveProperty('encoded')
  expect(change?.members[0]?.meta.buffer.byteLength).toBe(10)
})

const someNames = uniqueArray(constantFrom('a', 'b', 'c', 'd'))
const someRecords = dictionary(constantFrom('x', 'y', 'z'), integer({ min: 1, max: 3 }))
const aPicture = record({
  members: uniqueArray(record({ name: constantFrom('a', 'b', 'c', 'd'), incarnation: nat(2) }), {
    selector: member => member.name,
  }),
  sections: someNames.chain(names => tuple(...names.map(name => tuple(constant(name), someRecords)))),
  synced: boolean(),
})

test('whatever a snapshot becomes, the mirror becomes the same', () => {
  assert(
    property(array(aPicture, { maxLength: 12 }), pictures => {
      let told = noSnapshot
      let mirror = noSnapshot
      for (const { members, sections, synced } of pictures) {
        const entries = sections.map(([name, revisions]): [NodeName, Section] => {
          const owner = nodeName(name)
          return [owner, aSection(name, revisions, told.sections.get(owner))]
        })
        const next: ClusterSnapshot = {
          members: members.map(aMember).sort((one, other) => (one.name < other.name ? -1 : 1)),
          sections: new Map(entries),
          synced,
          expectsPeers: !synced,
        }
        const change = changeBetween(told, next)
        const before = mirror
        if (change !== undefined) mirror = applyChange(mirror, structuredClone(change))
        expect(mirror).toEqual(next)
        for (const member of mirror.members) {
          const known = before.members.find(({ name }) => name === member.name)
          if (known?.incarnation === member.incarnation) expect(member).toBe(known)
        }
        told = next
      }
    }),
  )
})
