/**
 * Who may ask. Reads that come straight over loopback are open; everything else needs the bearer token.
 * Loopback alone proves little: a reverse proxy on this node also connects from 127.0.0.1, and so does a browser that was
 * led here by a rebound DNS name. So a request with forwarding headers is not local, and neither is one whose Host is a
 * name nobody configured. Invariant: a token that is given must be right, wherever the request comes from.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'

export interface AuthQuestion {
  readonly method: string
  readonly remoteAddress: string
  readonly headers: IncomingHttpHeaders
}

export type AuthVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly code: 'TOKEN_MISSING' | 'TOKEN_WRONG'; readonly detail: string }

export type Authorise = (question: AuthQuestion) => AuthVerdict

export interface AuthSettings {
  readonly token: string
  /** Names of this node by which a local client may call it, besides `localhost` and IP literals. */
  readonly hostNames: readonly string[]
}

const allowed: AuthVerdict = { kind: 'allowed' }
const forwardingHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']
const hint = 'send "Authorization: Bearer <token>" with the token of api-token.txt in the secrets directory of the node'

export function createAuthorise({ token, hostNames }: AuthSettings): Authorise {
  const expected = digest(token)
  const names = new Set(['localhost', ...hostNames.map(name => name.toLowerCase())])
  return question => {
    const given = question.headers.authorization
    if (given !== undefined) {
      const bearer = /^bearer +(\S+)$/i.exec(given)?.[1]
      if (bearer !== undefined && timingSafeEqual(digest(bearer), expected)) return allowed
      return { kind: 'refused', code: 'TOKEN_WRONG', detail: `the token is not the one of this node; ${hint}` }
    }
    const obstacle = whyNotLocalRead(question, names)
    if (obstacle === undefined) return allowed
    return { kind: 'refused', code: 'TOKEN_MISSING', detail: `${obstacle}; ${hint}` }
  }
}

function whyNotLocalRead(
  { method, remoteAddress, headers }: AuthQuestion,
  names: ReadonlySet<string>,
): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return 'only reads are open'
  if (!isLoopback(remoteAddress)) return 'only loopback is open'
  const forwarded = forwardingHeaders.find(name => headers[name] !== undefined)
  if (forwarded !== undefined) return `the request came through a proxy (it has ${forwarded})`
  const host = hostOf(headers.host ?? '')
  if (isIP(host) === 0 && !names.has(host)) return `Host "${host}" is no name of this node`
  return undefined
}

/** `node-a` of `node-a:8080`, `::1` of `[::1]:8080`. */
function hostOf(header: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(header)
  return (bracketed?.[1] ?? header.replace(/:\d+$/, '')).toLowerCase()
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(address)
}

/** Equal length for the comparison, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
