import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { encodeBody } from './encode-record.ts'
import { emptySection } from './section.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { decodeState, encodeState } from './state-exchange.ts'

function aSection(owner: string, keys: number): HeldSection {
  const encoded = encodeBody({ kind: 'removed' })
  const records = Array.from({ length: keys }, (_, i): [string, HeldRecord] => [
    `k${i}`,
    { key: `k${i}`, version: { epoch: 1, revision: i + 1 }, body: { kind: 'removed' }, encoded, removedAt: 5_000 },
  ])
  const version = { epoch: 1, revision: keys }
  return { ...emptySection(nodeName(owner)), version, wholeAt: version, complete: true, records: new Map(records) }
}

test('sections come back as they were, tombstones with their age', () => {
  const sections = [aSection('a', 3), aSection('b', 0)]
  const { bytes, omitted } = encodeState(sections, 65_000)
  expect(omitted).toBe(0)
  const decoded = decodeState(bytes, 1_000_000)
  const ages = [...(decoded.ok ? (decoded.value.sections[0]?.records.values() ?? []) : [])].map(
    ({ removedAt }) => 1_000_000 - (removedAt ?? 0),
  )
  expect(ages).toEqual([60_000, 60_000, 60_000])
  expect(decoded).toMatchObject({ ok: true, value: { sections: [{ owner: 'a' }, { owner: 'b' }], brokenSections: 0 } })
})

test('what would make the state too large is left out, the first section last', () => {
  const { bytes, omitted } = encodeState([aSection('own', 5), aSection('large', 200), aSection('small', 5)], 0, 500)
  expect(bytes.length).toBeLessThanOrEqual(500)
  expect(omitted).toBe(1)
  const decoded = decodeState(bytes, 0)
  expect(decoded.ok && decoded.value.sections.map(({ owner }) => owner)).toEqual(['own', 'small'])
})
