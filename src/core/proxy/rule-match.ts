/**
 * Would Traefik's rule match this request? The proxy evaluates hosts, paths and methods; patterns, headers, queries and
 * addresses are Traefik's alone. What depends on those is "cannot tell" (undefined), never a guess.
 */
import type { Rule } from '../routing/index.ts'

export interface Asked {
  /** As `parseHost` writes it. */
  readonly host: string
  readonly method: string
  /** Without query, percent-decoded except for reserved characters, as Traefik compares it: see `routingPath`. */
  readonly path: string
}

/** Three-valued logic: `undefined and false` is false, `undefined or true` is true, the rest stays undefined. */
export function matchesRule(rule: Rule, asked: Asked): boolean | undefined {
  if (rule.kind === 'match') return matches(rule.matcher, rule.values[0] ?? '', asked)
  if (rule.kind === 'not') {
    const inner = matchesRule(rule.rule, asked)
    return inner === undefined ? undefined : !inner
  }
  const decisive = rule.kind === 'or'
  const left = matchesRule(rule.left, asked)
  if (left === decisive) return decisive
  const right = matchesRule(rule.right, asked)
  if (right === decisive) return decisive
  return left === undefined || right === undefined ? undefined : !decisive
}

/** Undefined when its percent signs make no sense: such a path matches nothing. */
export function routingPath(target: string): string | undefined {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (!path.includes('%')) return path
  try {
    return decodeURI(path)
  } catch {
    return undefined
  }
}

function matches(matcher: string, value: string, asked: Asked): boolean | undefined {
  switch (matcher) {
    case 'Host':
      return value.toLowerCase().replace(/\.$/, '') === asked.host
    case 'Path':
      return asked.path === value
    case 'PathPrefix':
      // Plain text on purpose: `/api` also matches `/apis`, as it does in Traefik.
      return asked.path.startsWith(value)
    case 'Method':
      return asked.method === value.toUpperCase()
    default:
      return undefined
  }
}
