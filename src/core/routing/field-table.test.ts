import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { traefikFields, traefikKinds } from './data/traefik-fields.ts'
import { fieldOf, isAtLeast, parseRelease } from './field-table.ts'
import type { Shape } from './field-table.ts'

interface Source {
  readonly types: Record<string, Record<string, { type: SourceType; since: string; mayBeEmpty?: boolean }>>
  readonly exactlyOneOf: Record<string, readonly string[] | 'every field'>
}
type SourceType = string | { readonly list: SourceType } | { readonly map: SourceType }

const source = JSON.parse(
  readFileSync(new URL('../../../test/data/traefik/traefik-v3-fields.json', import.meta.url), 'utf8'),
) as Source

function sourceType(shape: Shape): SourceType {
  if (shape.kind === 'scalar') return shape.scalar
  if (shape.kind === 'struct') return shape.type
  return shape.kind === 'list' ? { list: sourceType(shape.of) } : { map: sourceType(shape.of) }
}

test('the embedded table says what its source says, field by field', () => {
  expect(Object.keys(traefikFields)).toEqual(Object.keys(source.types))
  let fields = 0
  for (const [type, expected] of Object.entries(source.types)) {
    expect(traefikFields[type]?.split(', ').filter(entry => entry !== '').length).toBe(Object.keys(expected).length)
    for (const [name, { type: wanted, since, mayBeEmpty = false }] of Object.entries(expected)) {
      const field = fieldOf(type, name)
      expect(field && { name: field.name, type: sourceType(field.shape), empty: field.mayBeEmpty }).toEqual({
        name,
        type: wanted,
        empty: mayBeEmpty,
      })
      expect(field?.since.join('.')).toBe(since)
      fields++
    }
  }
  expect(fields).toBeGreaterThan(300)
})

test('the embedded kinds say what their source says', () => {
  for (const [type, kinds] of Object.entries(source.exactlyOneOf))
    expect(traefikKinds[type]).toEqual(kinds === 'every field' ? Object.keys(source.types[type] ?? {}) : kinds)
})

test('fields are found without regard to letter case', () => {
  expect(fieldOf('Router', 'ENTRYPOINTS')?.name).toBe('entryPoints')
  expect(fieldOf('Router', 'entryPoint')).toBeUndefined()
  expect(fieldOf('NoSuchType', 'rule')).toBeUndefined()
})

test.each([
  ['3.0', [3, 0, 0]],
  ['v3.7.9', [3, 7, 9]],
  ['3', undefined],
  ['2.11', undefined],
  ['latest', undefined],
])('release %s reads as %j', (text, release) => {
  expect(parseRelease(text)).toEqual(release)
})

test('releases compare by number, not by text', () => {
  expect(isAtLeast([3, 10, 0], [3, 9, 9])).toBe(true)
  expect(isAtLeast([3, 6, 9], [3, 6, 15])).toBe(false)
})
