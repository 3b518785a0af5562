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
  /** Where we are: names and list indexes from the root. Put into words for a report only. */
  readonly path: (string | number)[]
}

export function decodeDocument(root: JsonObject, release: Release): Decoded {
  const context: Context = { release, problems: [], path: [] }
  const known = new Map<string, JsonNode>()
  for (const [name, value] of root) {
    // At the top level, and only there, Traefik ignores what it does not know.
    if (fieldOf(rootType, name) !== undefined) known.set(name, value)
  }
  const tree = decodeFields(context, known, rootType)
  return { tree, problems: context.problems }
}

/** Undefined: absent, or reported. */
function decode(context: Context, value: JsonNode, shape: Shape): JsonNode | undefined {
  if (shape.kind === 'scalar') return decodeScalar(context, value, shape.scalar)
  if (shape.kind === 'list') return decodeList(context, value, shape.of)
  if (!isObject(value)) return wrongType(context, 'an object', value)
  return shape.kind === 'struct' ? decodeFields(context, value, shape.type) : decodeEntries(context, value, shape.of)
}

function decodeFields(context: Context, object: JsonObject, type: string): JsonObject {
  let copy: Map<string, JsonNode> | undefined
  for (const [name, value] of object) {
    context.path.push(name)
    const field = knownField(context, type, name)
    const decoded = field === undefined || value === null ? undefined : decodeField(context, object, name, value, field)
    context.path.pop()
    if (copy === undefined && decoded === value && field?.name === name) continue
    copy ??= headOf(object, name)
    if (field !== undefined && decoded !== undefined) copy.set(field.name, decoded)
  }
  return copy ?? object
}

function knownField(context: Context, type: string, name: string): Field | undefined {
  const field = fieldOf(type, name)
  if (field === undefined) {
    report(context, 'unknown-field', `${type} has no field ${JSON.stringify(name)}`)
    return undefined
  }
  if (isAtLeast(context.release, field.since)) return field
  report(context, 'unknown-field', `Traefik knows it since ${field.since.join('.')}`)
  return undefined
}

function decodeField(
  context: Context,
  object: JsonObject,
  name: string,
  value: JsonNode,
  field: Field,
): JsonNode | undefined {
  if (field.name !== name && spellings(object, name) > 1) {
    report(context, 'syntax', `the field ${field.name} is given twice in different letter case`)
    return undefined
  }
  const holdsObject = field.shape.kind === 'struct' || field.shape.kind === 'map'
  if (holdsObject && field.mayBeEmpty && isTrue(value)) return new Map() // `tls: true` is Traefik's other way to say {}
  if (holdsObject && !field.mayBeEmpty && isObject(value) && allAbsent(value)) {
    report(context, 'empty-object', 'an empty object makes Traefik refuse the whole document')
    return undefined
  }
  return decode(context, value, field.shape)
}

/** The names are the user's; an entry may be empty even where a field may not. */
function decodeEntries(context: Context, object: JsonObject, of: Shape): JsonObject {
  let copy: Map<string, JsonNode> | undefined
  for (const [name, value] of object) {
    context.path.push(name)
    const decoded = value === null ? undefined : decode(context, value, of)
    context.path.pop()
    if (copy === undefined && decoded === value) continue
    copy ??= headOf(object, name)
    if (decoded !== undefined) copy.set(name, decoded)
  }
  return copy ?? object
}

/** What stands before `name`. An object is copied at its first change only: what we serve has usually none. */
function headOf(object: JsonObject, name: string): Map<string, JsonNode> {
  const head = new Map<string, JsonNode>()
  for (const [key, value] of object) {
    if (key === name) break
    head.set(key, value)
  }
  return head
}

/** How many names of the object are this one in some letter case. */
function spellings(object: JsonObject, name: string): number {
  return [...object.keys()].filter(other => other.toLowerCase() === name.toLowerCase()).length
}

function decodeList(context: Context, value: JsonNode, of: Shape): JsonNode | undefined {
  if (!Array.isArray(value)) return wrongType(context, 'a list', value)
  const items = value.map((item, index) => {
    context.path.push(index)
    const decoded = item === null ? wrongType(context, 'a value', item) : decode(context, item, of)
    context.path.pop()
    return decoded
  })
  return items.every((item, index) => item === value[index]) ? value : items.filter(item => item !== undefined)
}

/** Go's time.ParseDuration, or a whole number of seconds. */
const goDuration = /^[+-]?(\d+|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/

function decodeScalar(context: Context, value: JsonNode, scalar: Scalar): JsonNode | undefined {
  if (scalar === 'any') return value
  if (value === null || typeof value === 'object') return wrongType(context, inWords[scalar], value)
  return fits[scalar](String(value)) ? value : wrongType(context, inWords[scalar], value)
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

function wrongType(context: Context, wanted: string, value: JsonNode): undefined {
  report(context, 'wrong-type', `expected ${wanted}, found ${describe(value)}`)
}

function report({ problems, path }: Context, reason: ProblemReason, detail: string): void {
  const [first = '', ...rest] = path
  const steps = rest.map(step => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  problems.push({ path: `${first}${steps.join('')}`, reason, detail })
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
