import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { recordsPerSectionMax } from './limits.ts'
import { mergeRecords, mergeSection } from './merge.ts'
import type { RecordKey, Version } from './record.ts'
import { emptySection } from './section.ts'
import type { HeldRecord, HeldSection } from './section.ts'

const owner = nodeName('node-a')

function record(key: RecordKey, epoch: number, revision: number): HeldRecord {
  return { key, version: { epoch, revision }, body: { kind: 'unknown' }, encoded: Uint8Array.of(epoch, revision) }
}

function tombstone(key: RecordKey, epoch: number, revision: number, removedAt = 0): HeldRecord {
  return { ...record(key, epoch, revision), body: { kind: 'removed' }, removedAt }
}

function section(wholeAt: Version, complete: boolean, records: readonly HeldRecord[]): HeldSection {
  const version = records.reduce((newest, { version: v }) => (v.revision > newest.revision ? v : newest), wholeAt)
  return { owner, version, wholeAt, complete, records: new Map(records.map(one => [one.key, one])) }
}

const keysOf = (held: HeldSection): readonly string[] => [...held.records.keys()].sort()

test.each([
  ['a higher revision wins', record('k', 1, 2), record('k', 1, 1), [1, 2]],
  ['a lower revision is old news', record('k', 1, 1), record('k', 1, 2), [1, 2]],
  ['a higher epoch beats any revision', record('k', 1, 900), record('k', 2, 1), [2, 1]],
  ['a tombstone is a version like any other', tombstone('k', 1, 3), record('k', 1, 2), [1, 3]],
])('%s, in whichever order they are heard', (_, first, second, wanted) => {
  for (const heard of [
    [first, second],
    [second, first],
  ]) {
    const { section: held } = mergeRecords(emptySection(owner), heard)
    expect([...(held.records.get('k')?.encoded ?? [])]).toEqual(wanted)
  }
})

test('old news changes nothing, not even the object', () => {
  const held = section({ epoch: 1, revision: 2 }, true, [record('k', 1, 2)])
  expect(mergeRecords(held, [record('k', 1, 1), record('k', 1, 2)]).section).toBe(held)
  expect(mergeSection(held, held).section).toBe(held)
})

test('a complete section removes what it does not hold, and only what is older than itself', () => {
  const held = mergeRecords(emptySection(owner), [
    record('old', 1, 1),
    record('kept', 1, 2),
    record('newer', 1, 5),
  ]).section
  const merged = mergeSection(held, section({ epoch: 1, revision: 4 }, true, [record('kept', 1, 2)]))
  expect(keysOf(merged.section)).toEqual(['kept', 'newer'])
  expect(merged.changes).toEqual([{ key: 'old', previous: record('old', 1, 1) }])
  expect(merged.section.version).toEqual({ epoch: 1, revision: 5 })
})

test('an incomplete section removes nothing: containers run on while their agent restarts', () => {
  const held = section({ epoch: 1, revision: 9 }, true, [record('web', 1, 3)])
  const merged = mergeSection(held, section({ epoch: 2, revision: 1 }, false, [record('node', 2, 1)]))
  expect(keysOf(merged.section)).toEqual(['node', 'web'])
  expect(merged.section.complete).toBe(false)
})

test('the first record of a new epoch makes the section incomplete', () => {
  const held = section({ epoch: 1, revision: 9 }, true, [record('web', 1, 3)])
  expect(mergeRecords(held, [record('node', 2, 1)]).section.complete).toBe(false)
})

test('what a complete owner had dropped does not come back from somebody who was away', () => {
  const held = section({ epoch: 1, revision: 9 }, true, [])
  const stale = section({ epoch: 1, revision: 4 }, true, [record('ghost', 1, 3)])
  expect(keysOf(mergeSection(held, stale).section)).toEqual([])
  expect(keysOf(mergeRecords(held, [record('ghost', 1, 3)]).section)).toEqual([])
})

test('somebody who missed a delta does not make others forget it', () => {
  const missed = mergeRecords(section({ epoch: 1, revision: 1 }, true, []), [record('b', 1, 3)]).section
  const whole = mergeRecords(section({ epoch: 1, revision: 1 }, true, []), [
    record('a', 1, 2),
    record('b', 1, 3),
  ]).section
  expect(keysOf(mergeSection(whole, missed).section)).toEqual(['a', 'b'])
})

test('complete once is complete for the rest of the epoch', () => {
  const complete = section({ epoch: 1, revision: 5 }, true, [])
  const later = section({ epoch: 1, revision: 7 }, false, [])
  expect(mergeSection(complete, later).section.complete).toBe(true)
  expect(mergeSection(later, complete).section.complete).toBe(true)
})

test('a full section gives up its oldest tombstone, never a live record', () => {
  const live = Array.from({ length: recordsPerSectionMax - 2 }, (_, i) => record(`k${i}`, 1, i + 1))
  const full = mergeRecords(emptySection(owner), [
    ...live,
    tombstone('t1', 1, 5000, 10),
    tombstone('t2', 1, 5001, 5),
  ]).section
  const { section: held, overflow } = mergeRecords(full, [
    record('x', 1, 6000),
    record('y', 1, 6001),
    record('z', 1, 6002),
  ])
  expect(overflow).toBe(1)
  expect(held.records.size).toBe(recordsPerSectionMax)
  expect([held.records.has('t1'), held.records.has('t2'), held.records.has('y'), held.records.has('z')]).toEqual([
    false,
    false,
    true,
    false,
  ])
})

/** An owner's life: every step writes or removes one of a few keys, now and then it restarts and lists its engine again. */
const life = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), act: fc.constantFrom('write', 'remove', 'restart') }),
  {
    minLength: 1,
    maxLength: 25,
  },
)

interface Life {
  readonly deltas: readonly HeldRecord[]
  readonly wholes: readonly HeldSection[]
  readonly end: HeldSection
}

function live(steps: readonly { key: string; act: string }[]): Life {
  let epoch = 1
  let revision = 0
  const records = new Map<RecordKey, HeldRecord>()
  const deltas: HeldRecord[] = []
  const wholes: HeldSection[] = []
  const look = (complete: boolean): HeldSection => section({ epoch, revision }, complete, [...records.values()])
  for (const { key, act } of steps) {
    if (act === 'restart') {
      epoch++
      revision = 0
      records.clear()
      wholes.push(look(false))
      continue
    }
    const written = act === 'write' ? record(key, epoch, ++revision) : tombstone(key, epoch, ++revision)
    records.set(key, written)
    deltas.push(written)
    wholes.push(look(true))
  }
  return { deltas, wholes, end: look(true) }
}

test('whatever is heard in whatever order, the last whole section settles it the same for everybody', () => {
  fc.assert(
    fc.property(life, fc.infiniteStream(fc.nat()), (steps, choices) => {
      const { deltas, wholes, end } = live(steps)
      const heard: (HeldRecord | HeldSection)[] = [...deltas, ...wholes, ...deltas, ...wholes].filter(
        () => (choices.next().value ?? 0) % 3 > 0,
      )
      const order = heard.map(item => ({ item, rank: choices.next().value ?? 0 })).sort((x, y) => x.rank - y.rank)
      let held = emptySection(owner)
      for (const { item } of order)
        held = 'records' in item ? mergeSection(held, item).section : mergeRecords(held, [item]).section
      const settled = mergeSection(held, end).section
      expect([...settled.records.values()].sort((x, y) => (x.key < y.key ? -1 : 1))).toEqual(
        [...end.records.values()].sort((x, y) => (x.key < y.key ? -1 : 1)),
      )
      expect(settled.complete).toBe(true)
    }),
    { numRuns: 300 },
  )
})
