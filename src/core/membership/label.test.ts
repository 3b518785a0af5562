import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../kernel/bytes.ts'
import { InvariantViolation } from '../../kernel/invariant.ts'
import { addLabel, findLabelEnd, takeOffLabel } from './label.ts'
import { createProtection } from './protection.ts'

const none = new Uint8Array(0)

test('the header is a type, a length and the label; without a label there is none', () => {
  expect(toHex(addLabel(utf8('x'), utf8('blue')))).toBe(`f404${toHex(utf8('blue'))}78`)
  expect(toHex(addLabel(utf8('x'), none))).toBe('78')
})

test.each(['', 'b', 'blue', 'ü'.repeat(127), 'l'.repeat(255)])('the label "%s" comes off again', text => {
  const label = utf8(text)
  expect(takeOffLabel(addLabel(utf8('message'), label), label)).toEqual({ ok: true, value: utf8('message') })
})

describe('what is refused, and why', () => {
  test.each([
    ['a label when we have none', 'f40161 0b', '', 'labelled'],
    ['no label when we have one', '0b81', 'blue', 'wrongLabel'],
    ['a label of the same length', 'f404 62747565 0b', 'blue', 'wrongLabel'],
    ['a label that ours begins with', 'f402 626c 0b', 'blue', 'wrongLabel'],
    ['a label that begins with ours', 'f405 626c756573 0b', 'blue', 'wrongLabel'],
    ['an empty label', 'f400 0b', 'blue', 'wrongLabel'],
    ['a label cut off', 'f404 626c75', 'blue', 'malformed'],
    ['a label without its length', 'f4', 'blue', 'malformed'],
  ])('%s', (_, hex, ours, reason) => {
    expect(takeOffLabel(fromHex(hex), utf8(ours))).toMatchObject({ ok: false, error: { reason } })
  })
})

test('a stream is refused as soon as a byte shows that the label is another', () => {
  expect(findLabelEnd(none, utf8('blue'))).toEqual({ ok: true, value: undefined })
  expect(findLabelEnd(fromHex('f4'), utf8('blue'))).toEqual({ ok: true, value: undefined })
  expect(findLabelEnd(fromHex('f405'), utf8('blue'))).toMatchObject({ error: { reason: 'wrongLabel' } })
  expect(findLabelEnd(fromHex('06'), utf8('blue'))).toMatchObject({ error: { reason: 'wrongLabel' } })
})

test('a label longer than its length field can tell is a bug of ours', () => {
  expect(() => createProtection('ü'.repeat(128))).toThrow(InvariantViolation)
})
