/**
 * What one setting is: its schema, how text becomes its value, its default, unit and reason. The tree of fields in
 * ../config.ts is the only description of the configuration; file keys, environment variables, flags, `config show` and the
 * reference are all derived from it.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { isNodeName, isPort, type Millis, type NodeName, type Port } from '../../kernel/units.ts'
import type { Interfaces } from '../mesh-address.ts'
import { formatDuration, parseDuration } from './duration.ts'

/** What a default may depend on: the node it runs on, and settings that stand above it in the tree. */
export interface Surroundings {
  readonly hostName: string
  readonly interfaces: Interfaces
  /** The value of an earlier setting, by its dotted path. */
  readonly valueOf: (path: string) => unknown
}

/** A default that is found out at start. `rule` says it in words. */
export interface Derived<T> {
  readonly rule: string
  readonly derive: (surroundings: Surroundings) => T
}

export function derived<T>(rule: string, derive: (surroundings: Surroundings) => T): Derived<T> {
  return { rule, derive }
}

/** How a kind of value is checked, read from text and shown. */
export interface Kind<T> {
  readonly schema: z.ZodType<T>
  /** Completes the sentence "must be ...". */
  readonly expects: string
  /** From a variable or flag. Answers the raw value for the schema to judge. Absent: this kind is for files only. */
  readonly fromText?: (text: string) => unknown
  /** A method on purpose: a field of some type is then a field of unknown, which walking the tree needs. */
  show(value: T): string
  /** The value for programs, where it is not the value itself. */
  json?(value: T): unknown
}

export interface About<T> {
  readonly fallback: T | Derived<T>
  /** Why the setting exists and why its default is what it is. */
  readonly why: string
  /** What a number counts; empty when the value names itself. */
  readonly unit?: string
  /** Environment names besides the derived `CONSTELLATION_...`, in order of precedence. */
  readonly env?: readonly string[]
  /** Long option of `constellation agent`. */
  readonly flag?: string
  /** Never printed, neither by `config show` nor in a complaint. */
  readonly secret?: boolean
  /** Read and checked, but nothing of this version acts on it. */
  readonly unused?: boolean
}

export interface Field<T = unknown> extends Kind<T>, About<T> {
  readonly isField: true
}

export interface Fields {
  readonly [key: string]: Field | Fields
}

/** The values of a tree of fields. */
export type ValuesOf<F> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : ValuesOf<F[K]>
}

export function field<T>(kind: Kind<T>, about: About<NoInfer<T>>): Field<T> {
  return { ...kind, ...about, isField: true }
}

export function isDerived<T>(fallback: T | Derived<T>): fallback is Derived<T> {
  return typeof fallback === 'object' && fallback !== null && 'derive' in fallback
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function kind<T>(expects: string, accepts: z.ZodType<T>, fromText: (text: string) => unknown): Kind<T> {
  return { schema: accepts, expects, fromText, show: plain }
}

const asIs = (text: string): string => text
const asNumber = (text: string): unknown => (/^-?\d+$/.test(text.trim()) ? Number(text) : text)
const words: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  '1': true,
  false: false,
  no: false,
  '0': false,
}

export const text = kind('a text that is not empty', z.string().min(1), asIs)
export const path = kind('an absolute path', z.string().regex(/^\//), asIs)
export const url = kind('an http or https URL', z.url({ protocol: /^https?$/ }), asIs)
export const bool = kind('true or false', z.boolean(), word => words[word.toLowerCase()] ?? word)
export const port = kind('a port (1 to 65535)', z.custom<Port>(isPort), asNumber)
export const count = kind('a whole number, 0 or more', z.int().min(0), asNumber)
export const ip = kind('an IP address', z.string().refine(isIpLiteral), asIs)

export const node = kind(
  'a node name (1 to 128 printable characters without blank, "/" or "@")',
  z.custom<NodeName>(value => typeof value === 'string' && isNodeName(value)),
  asIs,
)

export const domainName = kind(
  'a domain name in lower case, such as example.org',
  z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/),
  word => word.toLowerCase(),
)

export const duration: Kind<Millis> = {
  schema: durationSchema(),
  expects: 'a duration ("30s", "1m30s", "200ms") or a whole number of milliseconds',
  fromText: asIs,
  show: formatDuration,
}

export function durationSchema(): z.ZodType<Millis> {
  return z.unknown().transform((value, context) => {
    const durationMs = parseDuration(value)
    if (durationMs !== undefined) return durationMs
    context.addIssue('expected a duration such as "30s" or a whole number of milliseconds')
    return z.NEVER
  })
}

export function oneOf<const T extends string>(...choices: readonly [T, ...T[]]): Kind<T> {
  return kind(choices.map(choice => `"${choice}"`).join(' or '), z.enum(choices), asIs)
}

/** In text the items are separated by commas. */
export function listOf(item: Kind<string>): Kind<readonly string[]> {
  return {
    schema: z.array(item.schema).readonly(),
    expects: `a list of ${item.expects.replace(/^an? /, '')}`,
    fromText: value =>
      value
        .split(',')
        .map(part => part.trim())
        .filter(part => part !== ''),
    show: items => items.join(','),
  }
}

export function optional<T>(inner: Kind<T>): Kind<T | undefined> {
  return {
    ...inner,
    schema: inner.schema.optional(),
    show: value => (value === undefined ? '' : inner.show(value)),
  }
}

export function isIpLiteral(value: unknown): boolean {
  return typeof value === 'string' && isIP(value) !== 0
}
