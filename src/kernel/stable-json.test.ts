import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { stableJson, type Json } from './stable-json.ts'

test('keys are sorted by code unit at every depth, arrays keep their order', () => {
  expect(stableJson({ b: [{ z: 1, a: 2 }, 3], a: null, B: 'x', ä: true })).toBe(
    '{"B":"x","a":null,"b":[{"a":2,"z":1},3],"ä":true}',
  )
})

test.each<[string, Json, string]>([
  ['at the top', { b: { a: 1, c: 2 }, a: 1 }, '{"a":1,"b":{"a":1,"c":2}}'],
  ['below ordered keys', { a: [{ c: 1, b: 2 }], d: 1 }, '{"a":[{"b":2,"c":1}],"d":1}'],
  ['because numbers come first in an object', { '9': 1, '10': 2, '-': 3 }, '{"-":3,"10":2,"9":1}'],
  ['nowhere', { a: [{ b: undefined, c: 1 }], d: 'e' }, '{"a":[{"c":1}],"d":"e"}'],
])('keys out of order %s are put in order', (_, value, text) => {
  expect(stableJson(value)).toBe(text)
})

test('members without a value are left out, a key named like the prototype is an ordinary key', () => {
  const odd = JSON.parse('{"__proto__":1,"a":2}') as Json
  expect(stableJson({ a: undefined, b: 1 })).toBe('{"b":1}')
  expect(stableJson(odd)).toBe('{"__proto__":1,"a":2}')
})

test('any value reads back as it was, on one line and indented', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      // Minus zero has no JSON form of its own.
      const normal = JSON.parse(JSON.stringify(value)) as Json
      expect(JSON.parse(stableJson(normal, indent))).toEqual(normal)
    }),
  )
})

test('the order in which an object was filled makes no difference', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), members => {
      const reversed = Object.fromEntries(Object.entries(members).reverse())
      expect(stableJson(reversed)).toBe(stableJson(members))
    }),
  )
})

test('indented text is what JSON.stringify writes for sorted keys', () => {
  const value = { a: [], b: {}, c: [1, { d: 'e' }] }
  expect(stableJson(value, 2)).toBe(JSON.stringify(value, null, 2))
})
