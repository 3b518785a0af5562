import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readJson } from './json-reader.ts'
import type { JsonNode } from './json-reader.ts'

function plain(node: JsonNode): unknown {
  if (node instanceof Map) return Object.fromEntries([...node].map(([key, value]) => [key, plain(value)]))
  return Array.isArray(node) ? node.map(plain) : node
}

test('what JSON.stringify writes is read back, whatever is in it', () => {
  const printable = fc.string({ unit: 'grapheme' })
  const value = fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 6 })
  fc.assert(
    fc.property(fc.dictionary(printable, value), original => {
      const text = JSON.stringify(original)
      const read = readJson(text)
      // Characters that YAML folds or forbids may be refused; nothing may be misread.
      if (!read.ok) return /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\\ud[89a-f]/.test(text)
      expect(plain(read.value)).toEqual(JSON.parse(text))
      return true
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['{"a":1,"a":2}', 'the key "a" occurs twice'],
  ['{"a":"\\/"}', 'the escape \\/ is unknown to YAML'],
  ['{"a":"\\ud83d\\ude00"}', 'half a character'],
  ['{"a":"\u2028"}', 'a character YAML does not print'],
  ['{"a":"\u007f"}', 'a character YAML does not print'],
  ['{"a":"x', 'the text ends in a string'],
  ['{"a":"\\u12"}', 'an escape without four digits'],
  [`{"${'k'.repeat(1001)}":1}`, 'a key longer than 1000 characters'],
  ['{"a":01}', 'expected , or }'],
  ['{"a":1,}', 'expected a key'],
  ['[1 2]', 'expected , or ]'],
  ['{a:1}', 'expected a key'],
  ['{} {}', 'text after the value'],
  ['tru', 'expected a value'],
  ['NaN', 'expected a value'],
  ['', 'expected a value'],
  ['['.repeat(100_000), 'nested deeper than 64'],
])('%j is refused', (text, reason) => {
  const read = readJson(text)
  expect(!read.ok && read.error.message).toContain(reason)
})

test('odd characters are found wherever they stand, and what follows them is read on', () => {
  const read = readJson('{\n\t"a": "\\"b\\\\", "c":\t"d", "\\u0065": ["\u{1f600}", "g\\n", "h"], "i": "j"\n}')
  expect(read.ok && plain(read.value)).toEqual({ a: '"b\\', c: 'd', e: ['\u{1f600}', 'g\n', 'h'], i: 'j' })
})

test('a key named __proto__ is a key like any other', () => {
  const read = readJson('{"__proto__":{"polluted":true}}')
  expect(read.ok && read.value instanceof Map && read.value.has('__proto__')).toBe(true)
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
})
