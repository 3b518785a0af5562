/** Decides whether a request can be forwarded at all, and to whom; a refusal says why in words for whoever sent it. */
import type { IncomingMessage } from 'node:http'
import {
  headerValues,
  isLoop,
  orderCandidates,
  parseJourney,
  parseRequestTarget,
  plainIp,
  requestHeadersToForward,
  type HostTable,
} from '../../core/proxy/index.ts'
import type { Pool } from '../../core/routing/index.ts'
import type { NodeName } from '../../kernel/units.ts'
import type { Accepted } from './exchange.ts'
import type { Problem } from './problem.ts'
import type { Refusal } from './report.ts'

export interface IntakeTools {
  /** The table of the newest plan. */
  readonly table: () => HostTable
  readonly node: NodeName
  readonly isPeerAddress: (ip: string) => boolean
  /** Rises with every call for the same pool. */
  readonly nextTurn: (pool: Pool) => number
}

export type Taken = Pick<Accepted, 'pool' | 'candidates' | 'path' | 'headers' | 'journey'>

export type Intake =
  | { readonly kind: 'taken'; readonly taken: Taken }
  | { readonly kind: 'refused'; readonly reason: Refusal; readonly problem: Problem }

/** Instances come and go within seconds. */
const retryAfterSeconds = 2

export function takeIn(tools: IntakeTools, request: IncomingMessage): Intake {
  const method = request.method ?? ''
  // TRACE would echo what proxies added; CONNECT never gets here.
  if (method === 'TRACE') return refusedMethod(method)
  const hosts = headerValues(request.rawHeaders, 'host')
  const target = parseRequestTarget(method, request.url ?? '', hosts)
  if (target === undefined) return malformed(unreadable(request.url, hosts))
  const journey = parseJourney(single(request, 'constellation-hops'), single(request, 'constellation-passes'))
  if (journey === undefined) return malformed('a constellation-* counter is not a small number')
  if (isLoop(journey)) return loop(target.host)
  const pool = tools.table().find(method, target)
  if (pool === undefined) return noSuchHost(target.host)

  const ip = plainIp(request.socket.remoteAddress ?? '')
  const localOnly = journey.hops > 0 || tools.isPeerAddress(ip)
  const candidates = orderCandidates(pool, { turn: tools.nextTurn(pool), localOnly })
  if (candidates.length === 0) return noInstance(pool, localOnly && pool.members.length > 0 ? tools.node : undefined)
  const headers = requestHeadersToForward(request.rawHeaders, { ip, scheme: 'http', authority: target.authority })
  return { kind: 'taken', taken: { pool, candidates, path: target.path, headers, journey } }
}

export function refusedMethod(method: string): Intake {
  return refuse('method', {
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    title: 'Method Not Allowed',
    detail: `${method} is not forwarded`,
    allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  })
}

export function refusedUpgrade(protocol: string | undefined): Intake {
  return refuse('upgrade', {
    status: 501,
    code: 'UPGRADE_NOT_SUPPORTED',
    title: 'Not Implemented',
    detail: `only websocket can be switched to, not ${JSON.stringify(protocol ?? '')}; send the request without Upgrade`,
  })
}

/** Undefined when absent; a repeated header comes joined by a comma, which no counter is. */
function single(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function unreadable(target: string | undefined, hosts: readonly string[]): string {
  if (hosts.length === 0) return 'the request has no Host header'
  if (hosts.length > 1) return `the request has ${hosts.length} Host headers`
  return `Host ${quoted(hosts[0])} or request target ${quoted(target)} cannot be read`
}

function malformed(detail: string): Intake {
  return refuse('malformed', { status: 400, code: 'MALFORMED_REQUEST', title: 'Bad Request', detail })
}

function loop(host: string): Intake {
  return refuse('loop', {
    status: 508,
    code: 'LOOP_DETECTED',
    title: 'Loop Detected',
    detail: `the request for ${quoted(host)} has passed through too many proxies of this cluster`,
  })
}

function noSuchHost(host: string): Intake {
  return refuse('noSuchHost', {
    status: 404,
    code: 'NO_SUCH_HOST',
    title: 'Not Found',
    detail: `no service is routed for this path at host ${quoted(host)}`,
  })
}

/** `only` is set when other nodes have instances but this request may not leave that node. */
function noInstance(pool: Pool, only: NodeName | undefined): Intake {
  const where = only === undefined ? '' : ` on ${only}, where another node's proxy sent this request`
  return refuse('noInstance', {
    status: 503,
    code: 'NO_INSTANCE',
    title: 'Service Unavailable',
    detail: `no instance of ${pool.service} may receive traffic${where}`,
    retryAfterSeconds,
  })
}

function refuse(reason: Refusal, problem: Problem): Intake {
  return { kind: 'refused', reason, problem }
}

function quoted(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 100))
}
