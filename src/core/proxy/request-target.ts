/**
 * Which host and path a request names. Header text is hostile input: what cannot be read is `undefined`, never a guess,
 * because a host that two programs read differently is how requests are smuggled past one of them.
 */

/** A request's host as the route plan writes it (lower case, no port, no trailing dot) and the path to pass on. */
export interface RequestTarget {
  readonly host: string
  /** Origin form: starts with `/`, query included; or `*` of `OPTIONS *`. */
  readonly path: string
  /** Value of the Host header to send upstream: what the client meant, port included. */
  readonly authority: string
}

const hostNamePattern =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/
const ipv6Pattern = /^[0-9a-f:.]{2,45}$/
const portPattern = /^[0-9]{1,5}$/

/** The host of a Host header or of an authority: `Web.Example.:8080` is `web.example`, `[::1]:80` is `::1`. */
export function parseHost(text: string): string | undefined {
  const lower = text.toLowerCase()
  const bracketed = lower.startsWith('[')
  const end = bracketed ? lower.indexOf(']') : lower.indexOf(':')
  if (bracketed && end === -1) return undefined
  const host = bracketed ? lower.slice(1, end) : end === -1 ? lower : lower.slice(0, end)
  const rest = bracketed ? lower.slice(end + 1) : end === -1 ? '' : lower.slice(end)
  // A colon without digits is an empty port, which RFC 3986 allows.
  if (rest !== '' && rest !== ':' && !(rest.startsWith(':') && portPattern.test(rest.slice(1)))) return undefined
  if (bracketed) return ipv6Pattern.test(host) && host.includes(':') ? host : undefined
  const plain = host.endsWith('.') ? host.slice(0, -1) : host
  return hostNamePattern.test(plain) ? plain : undefined
}

/**
 * `hosts` are all Host header lines of the request. RFC 9112 section 3.2: more than one is malformed; a target in
 * absolute form (`GET http://web/path`) outranks the header.
 */
export function parseRequestTarget(
  method: string,
  target: string,
  hosts: readonly string[],
): RequestTarget | undefined {
  const [header, ...more] = hosts
  if (header === undefined || more.length > 0) return undefined
  const absolute = /^https?:\/\/([^/?#@]+)([/?].*)?$/i.exec(target)
  const authority = absolute?.[1] ?? header
  const host = parseHost(authority)
  if (host === undefined) return undefined
  const path = absolute === null ? target : originForm(absolute[2])
  const readable = path.startsWith('/') || (path === '*' && method === 'OPTIONS')
  return readable ? { host, path, authority } : undefined
}

function originForm(rest: string | undefined): string {
  if (rest === undefined) return '/'
  return rest.startsWith('?') ? `/${rest}` : rest
}
