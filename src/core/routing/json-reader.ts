/**
 * Reads JSON the way Traefik meets it: its provider parses every body as YAML, which refuses some texts that JSON.parse
 * takes. Duplicate keys, the escape `\/`, escaped surrogates, keys too long for YAML and characters YAML folds or forbids
 * are errors here. Total on any text; nesting is bounded. YAML beyond JSON is not read.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'

export type JsonNode = null | boolean | number | string | readonly JsonNode[] | JsonObject
/** A map, because a name from outside may be `__proto__`. */
export type JsonObject = ReadonlyMap<string, JsonNode>

export interface JsonProblem {
  /** Offset into the text. */
  readonly at: number
  readonly message: string
}

/** Our deepest document has 7 levels, Traefik's own types 10. */
const depthMax = 64
/** YAML gives up on a key whose colon does not follow within 1024 characters. */
const keyLengthMax = 1000

interface Cursor {
  readonly text: string
  at: number
  /** Of the next character that no string may hold as it is; may lie behind `at`. */
  odd: number
}

export function readJson(text: string): Result<JsonNode, JsonProblem> {
  const cursor: Cursor = { text, at: 0, odd: -1 }
  try {
    const value = readValue(cursor, 0)
    skipBlank(cursor)
    if (cursor.at < text.length) refuse(cursor, 'text after the value')
    return ok(value)
  } catch (thrown) {
    if (thrown instanceof Refusal) return fail({ at: thrown.at, message: thrown.message })
    throw thrown
  }
}

/** Leaves the recursion; never leaves this file. */
class Refusal extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

function refuse(cursor: Cursor, message: string): never {
  throw new Refusal(cursor.at, message)
}

function readValue(cursor: Cursor, depth: number): JsonNode {
  if (depth > depthMax) refuse(cursor, `nested deeper than ${depthMax}`)
  skipBlank(cursor)
  const first = cursor.text[cursor.at]
  if (first === '{') return readObject(cursor, depth)
  if (first === '[') return readArray(cursor, depth)
  if (first === '"') return readString(cursor)
  if (first === 't') return readWord(cursor, 'true', true)
  if (first === 'f') return readWord(cursor, 'false', false)
  return first === 'n' ? readWord(cursor, 'null', null) : readNumber(cursor)
}

function readObject(cursor: Cursor, depth: number): JsonObject {
  const object = new Map<string, JsonNode>()
  cursor.at++
  if (accept(cursor, '}')) return object
  do {
    skipBlank(cursor)
    const keyAt = cursor.at
    if (cursor.text[keyAt] !== '"') refuse(cursor, 'expected a key')
    const key = readString(cursor)
    if (cursor.at - keyAt > keyLengthMax) refuse(cursor, `a key longer than ${keyLengthMax} characters`)
    if (object.has(key)) refuse(cursor, `the key ${JSON.stringify(key)} occurs twice`)
    if (!accept(cursor, ':')) refuse(cursor, 'expected :')
    object.set(key, readValue(cursor, depth + 1))
  } while (accept(cursor, ','))
  if (!accept(cursor, '}')) refuse(cursor, 'expected , or }')
  return object
}

function readArray(cursor: Cursor, depth: number): readonly JsonNode[] {
  cursor.at++
  if (accept(cursor, ']')) return []
  const items = [readValue(cursor, depth + 1)]
  while (accept(cursor, ',')) items.push(readValue(cursor, depth + 1))
  if (!accept(cursor, ']')) refuse(cursor, 'expected , or ]')
  return items
}

/** What a string may hold unescaped: what YAML prints, without its line breaks. */
const plainText = /[\x20\x21\x23-\x5b\x5d-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*/y
const oddCharacter = /[^\x20-\x5b\x5d-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/g
const astral = /[\u{10000}-\u{10ffff}]/uy

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Most strings hold nothing odd, and then end at the next quote: two searches, and the pattern is tried on few. */
function readString(cursor: Cursor): string {
  const { text, at } = cursor
  const end = text.indexOf('"', at + 1)
  if (end === -1 || end > nextOdd(cursor)) return readOddString(cursor)
  cursor.at = end + 1
  return text.slice(at + 1, end)
}

/** Searched for once, not for every string: in what we serve the next one is usually beyond the end. */
function nextOdd(cursor: Cursor): number {
  if (cursor.odd < cursor.at) {
    oddCharacter.lastIndex = cursor.at
    cursor.odd = oddCharacter.exec(cursor.text)?.index ?? cursor.text.length
  }
  return cursor.odd
}

function readOddString(cursor: Cursor): string {
  cursor.at++
  let value = ''
  for (;;) {
    value += take(cursor, plainText)
    const character = cursor.text[cursor.at]
    if (character === '"') {
      cursor.at++
      return value
    }
    value += character === '\\' ? readEscape(cursor) : readAstral(cursor)
  }
}

function readEscape(cursor: Cursor): string {
  const letter = cursor.text[cursor.at + 1] ?? ''
  if (letter === 'u') return readCodeUnit(cursor)
  const character = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined
  if (character === undefined) refuse(cursor, `the escape \\${letter} is unknown to YAML`)
  cursor.at += 2
  return character
}

function readCodeUnit(cursor: Cursor): string {
  const digits = cursor.text.slice(cursor.at + 2, cursor.at + 6)
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) refuse(cursor, 'an escape without four digits')
  const code = Number.parseInt(digits, 16)
  if (code >= 0xd800 && code <= 0xdfff) refuse(cursor, 'half a character, which YAML refuses')
  cursor.at += 6
  return String.fromCodePoint(code)
}

function readAstral(cursor: Cursor): string {
  const character = take(cursor, astral)
  if (character !== '') return character
  return refuse(
    cursor,
    cursor.at < cursor.text.length ? 'a character YAML does not print' : 'the text ends in a string',
  )
}

function readWord<T>(cursor: Cursor, word: string, value: T): T {
  if (!cursor.text.startsWith(word, cursor.at)) refuse(cursor, 'expected a value')
  cursor.at += word.length
  return value
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

function readNumber(cursor: Cursor): number {
  const digits = take(cursor, number)
  return digits === '' ? refuse(cursor, 'expected a value') : Number(digits)
}

function skipBlank(cursor: Cursor): void {
  while (isBlank(cursor.text.charCodeAt(cursor.at))) cursor.at++
}

/** Blank, line feed, tab, carriage return. A comparison, not a pattern: it runs between any two tokens. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d
}

function accept(cursor: Cursor, mark: string): boolean {
  skipBlank(cursor)
  if (cursor.text[cursor.at] !== mark) return false
  cursor.at++
  return true
}

/** What the sticky pattern matches here, perhaps nothing. */
function take(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at
  const taken = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.at += taken.length
  return taken
}
