/**
 * What Traefik polls: its HTTP provider asks one URL again and again and takes nothing but a 200 with a whole document.
 * Invariants: never an empty 200 and never a 304 for the document, because Traefik would drop every route for the one and
 * count the other as an error; before the first document the answer is 503, and Traefik keeps what it has.
 */
import { createServer, STATUS_CODES } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { TraefikDocumentHandle } from '../controllers/handles.ts'
import type { BatchMarks } from '../controllers/journal.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import { createSectionViews, isNoneMatch } from './traefik-views.ts'
import type { SectionView } from './traefik-views.ts'

export interface TraefikServerOptions {
  readonly document: TraefikDocumentHandle
  readonly metrics: Metrics
  readonly log: Log
  /** Where the first poll after a change is marked. Default: nowhere. */
  readonly trace?: { readonly journal: BatchMarks; readonly clock: Pick<Clock, 'now'> }
  /** The whole decision, loopback included: may this request read the document? */
  readonly auth: (request: IncomingMessage) => boolean
}

/** The document itself; what the first two are called is a matter of habit, the third is the earlier agent's. */
const documentPaths: ReadonlySet<string> = new Set(['/', '/api/dynamic', '/traefik/config'])
const healthPath = '/health'

/** Longer than any sensible poll interval: a connection closed just as Traefik polls again would cost it a retry. */
const keepAliveMs = 65_000

interface Answer {
  readonly status: 200 | 304 | 401 | 404 | 405 | 503
  readonly type?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Not yet listening. */
export function createTraefikServer({ document, metrics, log, auth, trace }: TraefikServerOptions): Server {
  const views = createSectionViews()

  function answer(request: IncomingMessage, path: string): Answer {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return problem(405, 'METHOD_NOT_ALLOWED', 'this server is read-only', { Allow: 'GET, HEAD' })
    const current = document.current()
    if (path === healthPath) return current === undefined ? text(503, 'no document yet\n') : text(200, 'OK\n')
    if (!auth(request))
      return problem(
        401,
        'TOKEN_REQUIRED',
        'send "Authorization: Bearer <token>"; in Traefik that is providers.http.headers',
        { 'WWW-Authenticate': 'Bearer' },
      )
    if (documentPaths.has(path)) return current === undefined ? notYet : json(current.json)
    if (!views.has(path))
      return problem(404, 'PATH_UNKNOWN', `nothing is at ${path.slice(0, 200)}; the document is at /`)
    const view = current === undefined ? undefined : views.at(path, current)
    return view === undefined ? notYet : viewAnswer(view, request.headers['if-none-match'])
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request.url ?? '/')
    const given = answer(request, path)
    if (documentPaths.has(path)) metrics.count('constellation_traefik_polls_total', { code: String(given.status) })
    const from = request.socket.remoteAddress
    log.debug('provider asked', { path, status: given.status, from })
    send(response, given, request.method === 'HEAD')
    if (documentPaths.has(path) && given.status === 200 && request.method === 'GET')
      trace?.journal.markWaiting('served', trace.clock.now(), `polled by ${from ?? 'nobody'}`)
  }

  return createServer({ keepAliveTimeout: keepAliveMs }, handle)
}

const notYet = problem(
  503,
  'NO_DOCUMENT_YET',
  'the view of the cluster is not complete, or there is nothing to route',
  {
    'Retry-After': '1',
  },
)

function json(body: string): Answer {
  return { status: 200, type: 'application/json', body, headers: { 'Cache-Control': 'no-store' } }
}

function viewAnswer({ body, etag }: SectionView, ifNoneMatch: string | undefined): Answer {
  const headers = { ETag: etag, 'Cache-Control': 'no-cache' }
  return isNoneMatch(ifNoneMatch, etag)
    ? { status: 304, headers }
    : { status: 200, type: 'application/json', body, headers }
}

function text(status: 200 | 503, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body, headers: { 'Cache-Control': 'no-store' } }
}

/** RFC 9457. */
function problem(
  status: 401 | 404 | 405 | 503,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code })
  return { status, type: 'application/problem+json', body, headers: { 'Cache-Control': 'no-store', ...headers } }
}

/** The path as it was sent, without the query: no path of ours has anything to decode. */
function pathOf(target: string): string {
  const [path = ''] = target.split('?', 1)
  return path === '' ? '/' : path
}

function send(response: ServerResponse, { status, type, body, headers = {} }: Answer, isHead: boolean): void {
  const content =
    type === undefined || body === undefined
      ? {}
      : { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'X-Content-Type-Options': 'nosniff' }
  response.writeHead(status, { ...headers, ...content })
  response.end(isHead ? undefined : body)
}
