/**
 * Traefik v3 rules: parsed, checked and understood as far as we must (which hosts can they match?). Total on hostile text.
 * A Traefik that is given a rule it cannot read disables that router only; we find out before it does.
 * Not judged: regular expressions, because Go's syntax is not ours, and IP ranges beyond their looks.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { ruleTokens } from './rule-tokens.ts'
import type { RuleProblem, RuleToken } from './rule-tokens.ts'

export type { RuleProblem } from './rule-tokens.ts'

export type Rule =
  | { readonly kind: 'match'; readonly matcher: string; readonly values: readonly string[] }
  | { readonly kind: 'and' | 'or'; readonly left: Rule; readonly right: Rule }
  | { readonly kind: 'not'; readonly rule: Rule }

export const ruleLengthMax = 1024
const nestingMax = 32

interface Matcher {
  readonly valuesMin: number
  readonly valuesMax: number
  /** Undefined when the first value is fine. */
  readonly refusal: (value: string) => string | undefined
}

/** Matchers of HTTP routers and how many values each takes (Traefik v3, pkg/muxer/http). */
const matchers: Readonly<Record<string, Matcher>> = {
  Host: { valuesMin: 1, valuesMax: 1, refusal: hostRefusal },
  HostRegexp: { valuesMin: 1, valuesMax: 1, refusal: hostRegexpRefusal },
  Path: { valuesMin: 1, valuesMax: 1, refusal: pathRefusal },
  PathPrefix: { valuesMin: 1, valuesMax: 1, refusal: pathRefusal },
  PathRegexp: { valuesMin: 1, valuesMax: 1, refusal: emptyRefusal },
  Method: { valuesMin: 1, valuesMax: 1, refusal: emptyRefusal },
  Header: { valuesMin: 2, valuesMax: 2, refusal: emptyRefusal },
  HeaderRegexp: { valuesMin: 2, valuesMax: 2, refusal: emptyRefusal },
  Query: { valuesMin: 1, valuesMax: 2, refusal: emptyRefusal },
  QueryRegexp: { valuesMin: 1, valuesMax: 2, refusal: emptyRefusal },
  ClientIP: { valuesMin: 1, valuesMax: 1, refusal: clientIpRefusal },
}

/** Traefik registers each matcher in four spellings: as written above, lower, UPPER, and Titlecase. */
const spellings: ReadonlyMap<string, string> = new Map(
  Object.keys(matchers).flatMap(name => {
    const lower = name.toLowerCase()
    const title = lower.slice(0, 1).toUpperCase() + lower.slice(1)
    return [name, lower, name.toUpperCase(), title].map(spelling => [spelling, name] as const)
  }),
)

export function parseRule(text: string): Result<Rule, RuleProblem> {
  if (text.length > ruleLengthMax)
    return fail({ at: ruleLengthMax, message: `longer than ${ruleLengthMax} characters` })
  const tokens = ruleTokens(text)
  return tokens.ok ? readWhole({ tokens: tokens.value, index: 0, depth: 0 }) : tokens
}

/**
 * Hosts the rule is bound to, lower case, in order of name. Empty when it is bound to none: no `Host`, `Host` under `!`,
 * or beside an alternative that matches every host.
 */
export function hostsOf(rule: Rule): readonly string[] {
  return [...(possibleHosts(rule, false) ?? [])].sort()
}

/** Equal for rules that differ only in blanks, quotes, spelling of matchers and superfluous parentheses. */
export function canonicalRule(rule: Rule): string {
  if (rule.kind === 'not') return `!${canonicalRule(rule.rule)}`
  if (rule.kind !== 'match')
    return `(${canonicalRule(rule.left)} ${rule.kind === 'and' ? '&&' : '||'} ${canonicalRule(rule.right)})`
  const values = rule.matcher === 'Host' ? rule.values.map(host => host.toLowerCase()) : rule.values
  return `${rule.matcher}(${values.map(value => JSON.stringify(value)).join(', ')})`
}

/** Undefined: any host. De Morgan turns `and` into `or` below a `!`. */
function possibleHosts(rule: Rule, negated: boolean): ReadonlySet<string> | undefined {
  if (rule.kind === 'not') return possibleHosts(rule.rule, !negated)
  if (rule.kind === 'match')
    return rule.matcher === 'Host' && !negated ? new Set(rule.values.map(host => host.toLowerCase())) : undefined
  const left = possibleHosts(rule.left, negated)
  const right = possibleHosts(rule.right, negated)
  const both = (rule.kind === 'and') !== negated
  if (both) {
    if (left === undefined) return right
    return right === undefined ? left : new Set([...left].filter(host => right.has(host)))
  }
  return left === undefined || right === undefined ? undefined : new Set([...left, ...right])
}

interface Cursor {
  readonly tokens: readonly RuleToken[]
  index: number
  depth: number
}

type Read = Result<Rule, RuleProblem>

function readWhole(cursor: Cursor): Read {
  const rule = readOr(cursor)
  if (!rule.ok) return rule
  const rest = peek(cursor)
  return rest.kind === 'end' ? rule : fail({ at: rest.at, message: `unexpected ${inWords(rest)} after a whole rule` })
}

function readOr(cursor: Cursor): Read {
  return readChain(cursor, '||', 'or', readAnd)
}

function readAnd(cursor: Cursor): Read {
  return readChain(cursor, '&&', 'and', readUnary)
}

/** Left-associative, as Go has it. */
function readChain(
  cursor: Cursor,
  operator: '&&' | '||',
  kind: 'and' | 'or',
  readOperand: (cursor: Cursor) => Read,
): Read {
  const first = readOperand(cursor)
  if (!first.ok) return first
  let left = first.value
  while (peek(cursor).kind === operator) {
    cursor.index++
    const right = readOperand(cursor)
    if (!right.ok) return right
    left = { kind, left, right: right.value }
  }
  return ok(left)
}

function readUnary(cursor: Cursor): Read {
  const token = peek(cursor)
  if (token.kind === 'name') return readMatch(cursor, token.text, token.at)
  if (token.kind !== '!' && token.kind !== '(')
    return fail({ at: token.at, message: `expected a matcher, found ${inWords(token)}` })
  if (cursor.depth === nestingMax) return fail({ at: token.at, message: `nested deeper than ${nestingMax}` })
  cursor.index++
  cursor.depth++
  const inner = token.kind === '!' ? readUnary(cursor) : readOr(cursor)
  cursor.depth--
  if (!inner.ok) return inner
  if (token.kind === '!') return ok({ kind: 'not', rule: inner.value })
  const close = peek(cursor)
  if (close.kind !== ')') return fail({ at: close.at, message: `expected ), found ${inWords(close)}` })
  cursor.index++
  return inner
}

function readMatch(cursor: Cursor, spelling: string, at: number): Read {
  const name = spellings.get(spelling)
  const matcher = name === undefined ? undefined : matchers[name]
  if (name === undefined || matcher === undefined) return fail({ at, message: `no matcher is called ${spelling}` })
  cursor.index++
  const values = readValues(cursor)
  if (!values.ok) return values
  const count = values.value.length
  if (count < matcher.valuesMin || count > matcher.valuesMax)
    return fail({ at, message: wrongCount(name, matcher, count) })
  const refused = matcher.refusal(values.value[0] ?? '')
  return refused === undefined
    ? ok({ kind: 'match', matcher: name, values: values.value })
    : fail({ at, message: `${name}: ${refused}` })
}

function readValues(cursor: Cursor): Result<readonly string[], RuleProblem> {
  const values: string[] = []
  for (let wanted: '(' | ',' = '('; ; wanted = ',') {
    const mark = peek(cursor)
    cursor.index++
    if (mark.kind === ')' && wanted === ',') return ok(values)
    if (mark.kind !== wanted)
      return fail({ at: mark.at, message: `expected ${wanted === ',' ? ', or )' : wanted}, found ${inWords(mark)}` })
    const value = peek(cursor)
    cursor.index++
    if (value.kind !== 'text')
      return fail({ at: value.at, message: `expected a quoted value, found ${inWords(value)}` })
    values.push(value.text)
  }
}

function peek(cursor: Cursor): RuleToken {
  return cursor.tokens[cursor.index] ?? { kind: 'end', at: ruleLengthMax }
}

function inWords(token: RuleToken): string {
  if (token.kind === 'end') return 'the end'
  if (token.kind === 'name') return token.text.slice(0, 32)
  return token.kind === 'text' ? 'a quoted value' : token.kind
}

function wrongCount(name: string, matcher: Matcher, count: number): string {
  const wanted =
    matcher.valuesMin === matcher.valuesMax ? `${matcher.valuesMin}` : `${matcher.valuesMin} or ${matcher.valuesMax}`
  const hint =
    count > matcher.valuesMax && matcher.valuesMax === 1 ? `; join several with ||: ${name}(..) || ${name}(..)` : ''
  return `${name} takes ${wanted} ${matcher.valuesMax === 1 ? 'value' : 'values'}, not ${count}${hint}`
}

function hostRefusal(host: string): string | undefined {
  if (/^[\w.:[\]-]{1,255}$/.test(host)) return undefined
  return `${JSON.stringify(host.slice(0, 60))} is no host name (patterns go into HostRegexp)`
}

/** Traefik refuses other text here, because host names arrive in Punycode. */
function hostRegexpRefusal(pattern: string): string | undefined {
  return /^[\x20-\x7e]+$/.test(pattern) ? undefined : 'only ASCII can match a host name'
}

function pathRefusal(path: string): string | undefined {
  return path.startsWith('/') ? undefined : `${JSON.stringify(path.slice(0, 60))} does not start with /`
}

function clientIpRefusal(range: string): string | undefined {
  const looksRight = /^[0-9a-fA-F.:]{2,45}(\/\d{1,3})?$/.test(range)
  return looksRight ? undefined : `${JSON.stringify(range.slice(0, 60))} is no address or range`
}

function emptyRefusal(value: string): string | undefined {
  return value === '' ? 'an empty value matches nothing' : undefined
}
