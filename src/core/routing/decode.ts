/**
 * Traefik's decoder, as far as its verdict goes: a JSON tree is laid against the field table of one release. Answers the
 * tree in canonical letter case with absent things left out, and every reason why Traefik would refuse it whole.
 * In doubt it is stricter than Traefik, never more lenient: what passes here decodes there.
 */
import { isAtLeast, fieldOf, rootType } from './field-table.ts'
import type { Field, Release, Scalar, Shape } from './field-table.ts'
import { parseGoBoolean } from './go-boolean.ts'
import type { JsonNode, JsonObject } from './json-reader.ts'
import type { DocumentProblem, ProblemReason } from './document-problem.ts'

export interface Decoded {
  readonly tree: JsonObject
  readonly problems: readonly DocumentProblem[]
}

interface Context {
  readonly release: Release
  readonly problems: DocumentProblem[]
}

export function decodeDocument(root: JsonObject, release: Release): Decoded {
  const context: Context = { release, problems: [] }
  const known = new Map<string, JsonNode>()
  for (const [name, value] of root) {
    // At the top level, and only there, Traefik ignores what it does not know.
    if (fieldOf(rootType, name) !== undefined) known.set(name, value)
  }
  const tree = decodeFields(context, known, rootType, '')
  return { tree, problems: context.problems }
}

/** Undefined: absent, or reported. */
function decode(context: Context, value: JsonNode, shape: Shape, path: string): JsonNode | undefined {
  if (shape.kind === 'scalar') return decodeScalar(context, value, shape.scalar, path)
  if (shape.kind === 'list') return decodeList(context, value, shape.of, path)
  if (!isObject(value)) return wrongType(context, path, 'an object', value)
  return shape.kind === 'struct'
    ? decodeFields(context, value, shape.type, path)
    : decodeEntries(context, value, shape.of, path)
}

function decodeFields(context: Context, object: JsonObject, type: string, path: string): JsonObject {
  return rebuilt(object, (name, value) => {
    const at = path === '' ? name : `${path}.${name}`
    const field = knownField(context, type, name, at)
    if (field === undefined || value === null) return undefined
    if (field.name !== name && spellings(object, name) > 1) {
      report(context, at, 'syntax', `the field ${field.name} is given twice in different letter case`)
      return undefined
    }
    const decoded = decodeField(context, value, field, at)
    return decoded === undefined ? undefined : [field.name, decoded]
  })
}

function knownField(context: Context, type: string, name: string, path: string): Field | undefined {
  const field = fieldOf(type, name)
  if (field === undefined) {
    report(context, path, 'unknown-field', `${type} has no field ${JSON.stringify(name)}`)
    return undefined
  }
  if (isAtLeast(context.release, field.since)) return field
  report(context, path, 'unknown-field', `Traefik knows it since ${field.since.join('.')}`)
  return undefined
}

function decodeField(context: Context, value: JsonNode, field: Field, path: string): JsonNode | undefined {
  const holdsObject = field.shape.kind === 'struct' || field.shape.kind === 'map'
  if (holdsObject && field.mayBeEmpty && isTrue(value)) return new Map() // `tls: true` is Traefik's other way to say {}
  if (holdsObject && !field.mayBeEmpty && isObject(value) && allAbsent(value)) {
    report(context, path, 'empty-object', 'an empty object makes Traefik refuse the whole document')
    return undefined
  }
  return decode(context, value, field.shape, path)
}

/** The names are the user's; an entry may be empty even where a field may not. */
function decodeEntries(context: Context, object: JsonObject, of: Shape, path: string): JsonObject {
  return rebuilt(object, (name, value) => {
    const decoded = value === null ? undefined : decode(context, value, of, `${path}.${name}`)
    return decoded === undefined ? undefined : [name, decoded]
  })
}

type Entry = readonly [name: string, value: JsonNode]

/** The object with every entry changed or left out; the object itself when none was, which is what we usually serve. */
function rebuilt(object: JsonObject, change: (name: string, value: JsonNode) => Entry | undefined): JsonObject {
  let copy: Map<string, JsonNode> | undefined
  let unchanged = 0
  for (const [name, value] of object) {
    const entry = change(name, value)
    if (copy === undefined && entry?.[0] === name && entry[1] === value) {
      unchanged++
      continue
    }
    copy ??= new Map([...object].slice(0, unchanged))
    if (entry !== undefined) copy.set(...entry)
  }
  return copy ?? object
}

/** How many names of the object are this one in some letter case. */
function spellings(object: JsonObject, name: string): number {
  return [...object.keys()].filter(other => other.toLowerCase() === name.toLowerCase()).length
}

function decodeList(context: Context, value: JsonNode, of: Shape, path: string): JsonNode | undefined {
  if (!Array.isArray(value)) return wrongType(context, path, 'a list', value)
  const items = value.map((item, index) => {
    const at = `${path}[${index}]`
    return item === null ? wrongType(context, at, 'a value', item) : decode(context, item, of, at)
  })
  const good = items.filter(item => item !== undefined)
  return items.every((item, index) => item === value[index]) ? value : good
}

/** Go's time.ParseDuration, or a whole number of seconds. */
const goDuration = /^[+-]?(\d+|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/

function decodeScalar(context: Context, value: JsonNode, scalar: Scalar, path: string): JsonNode | undefined {
  if (scalar === 'any') return value
  if (value === null || typeof value === 'object') return wrongType(context, path, inWords[scalar], value)
  return fits[scalar](String(value)) ? value : wrongType(context, path, inWords[scalar], value)
}

/** Numbers and booleans may be quoted, and text may be a bare number. */
const fits: Readonly<Record<Scalar, (text: string) => boolean>> = {
  string: () => true,
  fileOrContent: () => true,
  int: text => /^[+-]?\d{1,18}$/.test(text),
  bool: text => parseGoBoolean(text) !== undefined,
  duration: text => goDuration.test(text),
  any: () => true,
}

const inWords: Readonly<Record<Scalar, string>> = {
  string: 'text',
  fileOrContent: 'a path or PEM text',
  int: 'a whole number',
  bool: 'true or false',
  duration: 'a duration such as 30s, or whole seconds',
  any: 'anything',
}

function wrongType(context: Context, path: string, wanted: string, value: JsonNode): undefined {
  report(context, path, 'wrong-type', `expected ${wanted}, found ${describe(value)}`)
}

function report(context: Context, path: string, reason: ProblemReason, detail: string): void {
  context.problems.push({ path, reason, detail })
}

function describe(value: JsonNode): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : JSON.stringify(value).slice(0, 60)
}

function isObject(value: JsonNode): value is JsonObject {
  return value instanceof Map
}

function isTrue(value: JsonNode): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true')
}

/** null is absent, so an object of nulls is as empty as {}. */
function allAbsent(object: JsonObject): boolean {
  for (const value of object.values()) if (value !== null) return false
  return true
}
