/**
 * Cuts a Traefik rule into tokens. Traefik reads rules with Go's expression scanner; this accepts the part of it that
 * rules are written in (names, quoted text, `&& || ! ( ) ,`) and refuses the rest. Total on any text.
 */
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'

/** `at` is an offset into the rule, for messages. */
export type RuleToken =
  | { readonly kind: '(' | ')' | ',' | '!' | '&&' | '||' | 'end'; readonly at: number }
  | { readonly kind: 'name' | 'text'; readonly at: number; readonly text: string }

export interface RuleProblem {
  readonly at: number
  readonly message: string
}

/** Anything outside printable text could be folded, cut or hidden on its way through YAML and terminals. */
const unprintable = /\p{C}|\p{Zl}|\p{Zp}/u

const blank = /[ \t\r\n]*/y
const name = /[A-Za-z]+/y
const punctuation = /&&|\|\||[(),!]/y
const rawText = /`[^`]*`/y
const escapedText = /"(?:[^"\\]|\\["\\])*"/y

export function ruleTokens(rule: string): Result<readonly RuleToken[], RuleProblem> {
  const tokens: RuleToken[] = []
  for (let at = skipBlank(rule, 0); at < rule.length; at = skipBlank(rule, at)) {
    const read = tokenAt(rule, at)
    if (!read.ok) return read
    tokens.push(read.value.token)
    at = read.value.end
  }
  tokens.push({ kind: 'end', at: rule.length })
  const broken = brokenLine(rule, tokens)
  return broken === undefined ? ok(tokens) : fail(broken)
}

function tokenAt(rule: string, at: number): Result<{ readonly token: RuleToken; readonly end: number }, RuleProblem> {
  const afterName = endOf(name, rule, at)
  if (afterName > at) return ok({ token: { kind: 'name', at, text: rule.slice(at, afterName) }, end: afterName })
  const afterMark = endOf(punctuation, rule, at)
  if (afterMark > at) {
    // The pattern matches these spellings and no others.
    const kind = rule.slice(at, afterMark) as '(' | ')' | ',' | '!' | '&&' | '||'
    return ok({ token: { kind, at }, end: afterMark })
  }
  const isRaw = rule[at] === '`'
  const end = endOf(isRaw ? rawText : escapedText, rule, at)
  if (end === at) return fail({ at, message: unreadable(rule, at) })
  const inner = rule.slice(at + 1, end - 1)
  const text = isRaw ? inner : inner.replaceAll(/\\(["\\])/g, '$1')
  if (unprintable.test(text)) return fail({ at, message: 'a value holds a character that cannot be printed' })
  return ok({ token: { kind: 'text', at, text }, end })
}

/** Go ends a statement at a line break after a value or a `)`: such a rule is one Traefik refuses. */
function brokenLine(rule: string, tokens: readonly RuleToken[]): RuleProblem | undefined {
  if (!rule.includes('\n')) return undefined
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1]
    if (next === undefined || next.kind === 'end' || (token.kind !== ')' && token.kind !== 'text')) continue
    const gap = rule.slice(token.at + 1, next.at)
    if (/\n\s*$/.test(gap)) return { at: next.at, message: 'a line may break after an operator only' }
  }
  return undefined
}

function unreadable(rule: string, at: number): string {
  const character = rule[at] ?? ''
  if (character === '`') return 'a ` is not closed'
  if (character === '"') return 'a " is not closed, or its text has an escape other than \\" and \\\\ (use ` instead)'
  return `unexpected ${JSON.stringify(character)}`
}

function skipBlank(rule: string, at: number): number {
  return endOf(blank, rule, at)
}

/** Where the sticky pattern's match ends; `at` itself when it matches nothing here. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
