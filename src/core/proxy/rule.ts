/**
 * The part of a Traefik rule the proxy understands: hosts, and optionally paths. Everything else (headers, methods,
 * regular expressions, negation) is Traefik's alone; such a rule is `undefined` here and never half obeyed.
 */
export interface PathTest {
  readonly kind: 'PathPrefix' | 'Path'
  readonly path: string
}

const callPattern = /^(Host|PathPrefix|Path)\(([`"])([^`"]+)\2\)$/

/** Paths a rule of hosts and paths asks for; empty when every path will do. */
export function pathTestsOf(rule: string): readonly PathTest[] | undefined {
  const terms = rule.split('&&').map(term => term.trim())
  const tests: PathTest[] = []
  let pathTerms = 0
  for (const term of terms) {
    const enclosed = term.startsWith('(') && term.endsWith(')')
    const alternatives = (enclosed ? term.slice(1, -1) : term).split('||').map(text => callPattern.exec(text.trim()))
    // `a && b || c` is `(a && b) || c`, which is no list of hosts with a list of paths.
    if (alternatives.length > 1 && terms.length > 1 && !enclosed) return undefined
    const kinds = new Set(alternatives.map(call => (call?.[1] === 'Host' ? 'host' : call === null ? 'other' : 'path')))
    if (kinds.size !== 1 || kinds.has('other')) return undefined
    if (kinds.has('host')) continue
    if (++pathTerms > 1) return undefined
    for (const call of alternatives)
      tests.push({ kind: call?.[1] === 'Path' ? 'Path' : 'PathPrefix', path: call?.[3] ?? '' })
  }
  return tests
}

/** `path` may carry a query, which no path test looks at. Like Traefik, a prefix is compared as plain text. */
export function passes(tests: readonly PathTest[], path: string): boolean {
  if (tests.length === 0) return true
  const query = path.indexOf('?')
  const bare = query === -1 ? path : path.slice(0, query)
  return tests.some(test => (test.kind === 'Path' ? bare === test.path : bare.startsWith(test.path)))
}
