/**
 * Reads the members of a decoded map strictly: kind, range and length of every one. The first member that does not fit
 * is remembered and spoils the whole; until somebody asks, reading goes on with neutral values. Members nobody asks for
 * are skipped, so that a newer agent may add some. Never throws: the bytes came from outside.
 */
import type { Packable } from '../membership/index.ts'

export interface FieldReader {
  /** Undefined while everything read so far was as it should be. */
  readonly failure: string | undefined
  fail(detail: string): void
  has(name: string): boolean
  text(name: string, lengthMax: number, pattern?: RegExp): string
  /** A whole number in `min..max`. */
  whole(name: string, min: number, max: number): number
  flag(name: string): boolean
  bytes(name: string, sizeBytesMax: number): Uint8Array
  texts(name: string, lengthMax: number, itemLengthMax: number): string[]
  /** Unread, for items of which one may be broken without spoiling the others. */
  items(name: string, lengthMax: number): readonly Packable[]
  member<T>(name: string, read: (reader: FieldReader) => T): T
  members<T>(name: string, lengthMax: number, read: (reader: FieldReader) => T): T[]
}

interface Verdict {
  failure: string | undefined
}

export function fieldReader(value: Packable | undefined, verdict: Verdict = { failure: undefined }): FieldReader {
  const map = membersOf(value)
  const fail = (detail: string): void => {
    verdict.failure ??= detail
  }
  if (map === undefined) fail('not a map')

  const list = (name: string, lengthMax: number): readonly Packable[] => {
    const items = map?.[name]
    if (isList(items) && items.length <= lengthMax) return items
    fail(`${name}: not a list of at most ${lengthMax}`)
    return []
  }

  const reader: FieldReader = {
    get failure() {
      return verdict.failure
    },
    fail,
    has: name => map?.[name] !== undefined,
    text(name, lengthMax, pattern) {
      const text = map?.[name]
      if (typeof text === 'string' && text.length <= lengthMax && (pattern?.test(text) ?? true)) return text
      fail(`${name}: not a text that fits`)
      return ''
    },
    whole(name, min, max) {
      const number = map?.[name]
      if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number
      fail(`${name}: not a whole number from ${min} to ${max}`)
      return min
    },
    flag(name) {
      const flag = map?.[name]
      if (typeof flag !== 'boolean') fail(`${name}: neither true nor false`)
      return flag === true
    },
    bytes(name, sizeBytesMax) {
      const bytes = map?.[name]
      if (bytes instanceof Uint8Array && bytes.length <= sizeBytesMax) return bytes
      fail(`${name}: not at most ${sizeBytesMax} bytes`)
      return new Uint8Array()
    },
    texts: (name, lengthMax, itemLengthMax) =>
      list(name, lengthMax).map(item => {
        if (typeof item === 'string' && item.length <= itemLengthMax) return item
        fail(`${name}: an item is not a text that fits`)
        return ''
      }),
    items: list,
    member: (name, read) => read(fieldReader(map?.[name], verdict)),
    members: (name, lengthMax, read) => list(name, lengthMax).map(item => read(fieldReader(item, verdict))),
  }
  return reader
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: Packable | undefined): value is readonly Packable[] {
  return Array.isArray(value)
}

function membersOf(value: Packable | undefined): { readonly [name: string]: Packable | undefined } | undefined {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array || isList(value)) return undefined
  return value
}
