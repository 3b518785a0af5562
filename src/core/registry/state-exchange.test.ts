import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { encodeBody } from './encode-record.ts'
import { format } from './envelope.ts'
import { createSectionEncoder } from './section-codec.ts'
import { emptySection } from './section.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { decodeState, encodeSections, encodeWholeState } from './state-exchange.ts'

test.each([
  ['a whole state', format.wholeState],
  ['sections sent directly', format.sections],
])('%s come back as they were, tombstones with their age', (_, formatByte) => {
  const pack = createSectionEncoder()
  const packed = [aSection('a', { tombstones: 3, removedAt: 5_000 }), aSection('b')].map(each => pack(each, 65_000))
  const bytes =
    formatByte === format.sections ? encodeSections(nodeName('a'), packed) : encodeWholeState(nodeName('a'), packed)
  const decoded = decodeState(formatByte, bytes, 1_000_000)
  const ages = [...(decoded.ok ? (decoded.value.sections[0]?.records.values() ?? []) : [])].map(
    ({ removedAt }) => 1_000_000 - (removedAt ?? 0),
  )
  expect(ages).toEqual([60_000, 60_000, 60_000])
  expect(decoded).toMatchObject({ ok: true, value: { sections: [{ owner: 'a' }, { owner: 'b' }], brokenSections: 0 } })
})

test('a section is packed once; one with tombstones again after a minute, for they tell their age', () => {
  const pack = createSectionEncoder()
  const [plain, buried] = [aSection('a', { records: 3 }), aSection('b', { tombstones: 1 })]
  expect(pack(plain, 0)).toBe(pack(plain, 10_000_000))
  expect(pack(buried, 0)).toBe(pack(buried, 59_999))
  expect(pack(buried, 0)).not.toEqual(pack(buried, 60_000))
})

test('the sender of a whole state is known, older agents do not tell it', () => {
  const own = encodeWholeState(nodeName('a'), [])
  expect(decodeState(format.wholeState, own, 0)).toMatchObject({ ok: true, value: { sender: 'a' } })
  const older = Uint8Array.from([0xc1, format.wholeState, 0x81, 0xa1, 's'.charCodeAt(0), 0x90])
  expect(decodeState(format.wholeState, older, 0)).toMatchObject({ ok: true, value: { sender: undefined } })
})

test('whatever the bytes are, sections are decoded or refused, never thrown over', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom(format.wholeState, format.sections),
      (noise, byte) => {
        const decoded = decodeState(byte, Uint8Array.of(0xc1, byte, ...noise), 0)
        if (decoded.ok) expect(decoded.value.brokenSections).toBeGreaterThanOrEqual(0)
      },
    ),
  )
})

function aSection(owner: string, { tombstones = 0, records = 0, removedAt = 0 } = {}): HeldSection {
  const held = Array.from({ length: tombstones + records }, (_, i): [string, HeldRecord] => {
    const isTombstone = i < tombstones
    const body = isTombstone ? ({ kind: 'removed' } as const) : ({ kind: 'unknown' } as const)
    const encoded = isTombstone ? encodeBody({ kind: 'removed' }) : Uint8Array.of(i)
    const record = { key: `k${i}`, version: { epoch: 1, revision: i + 1 }, body, encoded }
    return [record.key, isTombstone ? { ...record, removedAt } : record]
  })
  const version = { epoch: 1, revision: held.length }
  return { ...emptySection(nodeName(owner)), version, wholeAt: version, complete: true, records: new Map(held) }
}
