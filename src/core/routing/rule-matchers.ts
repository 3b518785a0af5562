/**
 * The matchers a rule of an HTTP router may use, and what Traefik accepts as their values (Traefik v3, pkg/muxer/http).
 * Not judged: regular expressions, because Go's syntax is not ours, and IP ranges beyond their looks.
 */

export interface Matcher {
  readonly name: string
  readonly valuesMin: number
  readonly valuesMax: number
  /** Undefined when the first value is fine. */
  readonly refusal: (value: string) => string | undefined
}

const matchers: readonly Matcher[] = [
  { name: 'Host', valuesMin: 1, valuesMax: 1, refusal: hostRefusal },
  { name: 'HostRegexp', valuesMin: 1, valuesMax: 1, refusal: hostRegexpRefusal },
  { name: 'Path', valuesMin: 1, valuesMax: 1, refusal: pathRefusal },
  { name: 'PathPrefix', valuesMin: 1, valuesMax: 1, refusal: pathRefusal },
  { name: 'PathRegexp', valuesMin: 1, valuesMax: 1, refusal: emptyRefusal },
  { name: 'Method', valuesMin: 1, valuesMax: 1, refusal: emptyRefusal },
  { name: 'Header', valuesMin: 2, valuesMax: 2, refusal: emptyRefusal },
  { name: 'HeaderRegexp', valuesMin: 2, valuesMax: 2, refusal: emptyRefusal },
  { name: 'Query', valuesMin: 1, valuesMax: 2, refusal: emptyRefusal },
  { name: 'QueryRegexp', valuesMin: 1, valuesMax: 2, refusal: emptyRefusal },
  { name: 'ClientIP', valuesMin: 1, valuesMax: 1, refusal: clientIpRefusal },
]

/** Traefik registers each matcher in four spellings: as written above, lower, UPPER, and Titlecase. */
const bySpelling: ReadonlyMap<string, Matcher> = new Map(
  matchers.flatMap(matcher => {
    const lower = matcher.name.toLowerCase()
    const title = lower.slice(0, 1).toUpperCase() + lower.slice(1)
    return [matcher.name, lower, lower.toUpperCase(), title].map(spelling => [spelling, matcher] as const)
  }),
)

export function matcherCalled(spelling: string): Matcher | undefined {
  return bySpelling.get(spelling)
}

/** Why Traefik would refuse this matcher with these values; undefined when it would not. */
export function matcherRefusal(matcher: Matcher, values: readonly string[]): string | undefined {
  if (values.length < matcher.valuesMin || values.length > matcher.valuesMax) return wrongCount(matcher, values.length)
  const refusal = matcher.refusal(values[0] ?? '')
  return refusal === undefined ? undefined : `${matcher.name}: ${refusal}`
}

function wrongCount({ name, valuesMin, valuesMax }: Matcher, count: number): string {
  const wanted = valuesMin === valuesMax ? `${valuesMin}` : `${valuesMin} or ${valuesMax}`
  const hint = count > valuesMax && valuesMax === 1 ? `; join several with ||: ${name}(..) || ${name}(..)` : ''
  return `${name} takes ${wanted} ${valuesMax === 1 ? 'value' : 'values'}, not ${count}${hint}`
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
