/**
 * Traefik v3 rules: parsed, checked and understood as far as we must (which hosts can they match?). Total on hostile text.
 * A Traefik that is given a rule it cannot read disables that router only; we find out before it does.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { matcherCalled, matcherRefusal } from './rule-matchers.ts'
import { ruleTokens } from './rule-tokens.ts'
import type { RuleProblem, RuleToken } from './rule-tokens.ts'

export type { RuleProblem } from './rule-tokens.ts'

export type Rule =
  | { readonly kind: 'match'; readonly matcher: string; readonly values: readonly string[] }
  | { readonly kind: 'and' | 'or'; readonly left: Rule; readonly right: Rule }
  | { readonly kind: 'not'; readonly rule: Rule }

export const ruleLengthMax = 1024
const nestingMax = 32

/** The rule of every default route, told at a glance: thousands are judged with each document, and few others. */
const plainHostRule = /^Host\(`([\w.:[\]-]{1,255})`\)$/

export function parseRule(text: string): Result<Rule, RuleProblem> {
  const host = plainHostRule.exec(text)?.[1]
  if (host !== undefined) return ok({ kind: 'match', matcher: 'Host', values: [host] })
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
  const matcher = matcherCalled(spelling)
  if (matcher === undefined) return fail({ at, message: `no matcher is called ${spelling}` })
  cursor.index++
  const values = readValues(cursor)
  if (!values.ok) return values
  const refusal = matcherRefusal(matcher, values.value)
  if (refusal !== undefined) return fail({ at, message: refusal })
  return ok({ kind: 'match', matcher: matcher.name, values: values.value })
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
