/**
 * The table of data/traefik-fields.ts, made quick to ask: which field does a type have in a release, and of what shape.
 */
import { invariant } from '../../kernel/invariant.ts'
import { traefikFields } from './data/traefik-fields.ts'

export type Shape =
  | { readonly kind: 'scalar'; readonly scalar: Scalar }
  | { readonly kind: 'struct'; readonly type: string }
  | { readonly kind: 'list' | 'map'; readonly of: Shape }

const scalars = ['string', 'int', 'bool', 'duration', 'fileOrContent', 'any'] as const
export type Scalar = (typeof scalars)[number]

export interface Field {
  /** In canonical letter case. */
  readonly name: string
  readonly shape: Shape
  readonly mayBeEmpty: boolean
  /** First release that has it. */
  readonly since: Release
}

/** Major, minor, patch. */
export type Release = readonly [number, number, number]

export const rootType = 'Configuration'
export const firstRelease: Release = [3, 0, 0]

/** `3.1` means 3.1.0. Undefined for anything that is no release of Traefik v3. */
export function parseRelease(text: string): Release | undefined {
  const match = /^v?3\.(\d{1,3})(?:\.(\d{1,3}))?$/.exec(text)
  return match === null ? undefined : [3, Number(match[1]), Number(match[2] ?? 0)]
}

export function isAtLeast(release: Release, wanted: Release): boolean {
  return (release[0] - wanted[0] || release[1] - wanted[1] || release[2] - wanted[2]) >= 0
}

/** Traefik finds fields without regard to letter case. */
export function fieldOf(type: string, name: string): Field | undefined {
  const fields = types.get(type)
  return fields?.get(name) ?? fields?.get(name.toLowerCase())
}

const types: ReadonlyMap<string, ReadonlyMap<string, Field>> = new Map(
  Object.entries(traefikFields).map(([type, text]) => [type, parseFields(text)]),
)

function parseFields(text: string): ReadonlyMap<string, Field> {
  const fields = text.split(', ').filter(entry => entry !== '')
  return new Map(
    fields.map(parseField).flatMap(field => [
      [field.name, field],
      [field.name.toLowerCase(), field],
    ]),
  )
}

function parseField(text: string): Field {
  const match = /^(\w+) ([\w[\]{}]+)(\?)?(?:@(\S+))?$/.exec(text)
  const since = parseRelease(match?.[4] ?? '3.0.0')
  invariant(match?.[1] !== undefined && match[2] !== undefined && since !== undefined, `field table reads ${text}`)
  return { name: match[1], shape: parseShape(match[2]), mayBeEmpty: match[3] === '?', since }
}

function parseShape(text: string): Shape {
  const inner = text.slice(1, -1)
  if (text.startsWith('[')) return { kind: 'list', of: parseShape(inner) }
  if (text.startsWith('{')) return { kind: 'map', of: parseShape(inner) }
  const scalar = scalars.find(name => name === text)
  if (scalar !== undefined) return { kind: 'scalar', scalar }
  invariant(Object.hasOwn(traefikFields, text), `field table knows ${text}`)
  return { kind: 'struct', type: text }
}
