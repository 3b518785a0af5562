/**
 * One request to one member, over undici's connection pools. Translates undici's callbacks and errors into our words and
 * decides nothing: no retry, no deadline (the caller aborts), no header of its own.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import type { Failure } from '../../core/proxy/index.ts'
import type { PoolMember } from '../../core/routing/index.ts'
import { formatAddress } from '../../kernel/units.ts'
import type { ProxyOptions } from './options.ts'

export interface UpstreamRequest {
  readonly member: PoolMember
  readonly method: string
  readonly path: string
  readonly headers: string[]
  readonly body: Buffer | Readable | undefined
  /** Protocol to switch to, `websocket`. */
  readonly upgrade: string | undefined
}

/** In this order: `onHead`, `onData`*, then `onEnd`; or `onUpgraded`; `onFailed` may end it at any point. */
export interface UpstreamEvents {
  onHead(status: number, headers: readonly string[]): void
  /** False: send no more until `resume`. */
  onData(chunk: Buffer): boolean
  onEnd(): void
  onUpgraded(headers: readonly string[], socket: Duplex): void
  onFailed(failure: Failure, cause: Error): void
}

export interface UpstreamCall {
  /** The connection stood and the request may have begun to leave. */
  readonly bytesSent: boolean
  resume(): void
  /** Ends it without another event, and its connection with it. */
  abort(): void
}

export interface Upstream {
  call(request: UpstreamRequest, events: UpstreamEvents): UpstreamCall
  /** Cuts every connection. */
  destroy(): Promise<void>
}

export function createUpstream(options: ProxyOptions): Upstream {
  const agent = new Agent({
    connect: { timeout: options.connectTimeoutMs, rejectUnauthorized: options.verifyUpstreamTls },
    keepAliveTimeout: options.idleTimeoutMs,
    // Also the limit for what a server offers in its Keep-Alive header.
    keepAliveMaxTimeout: options.idleTimeoutMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 65_536,
    pipelining: 1,
  })
  const load = createLoad(options)

  return {
    call(request, events) {
      const origin = `${request.member.scheme}://${formatAddress(request.member.address)}`
      const handler = createHandler(events, () => load.release(origin))
      const dispatched = {
        origin,
        path: request.path,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        upgrade: request.upgrade ?? null,
        ...(load.acquire(origin) ? {} : { reset: true }),
      }
      agent.dispatch(dispatched, handler)
      return handler
    },
    destroy: () => agent.destroy(),
  }
}

/**
 * Keeps the number of idle connections within its limits, which undici has no option for: a request beyond the limit
 * asks for its connection to be closed after it.
 */
function createLoad(limits: Pick<ProxyOptions, 'maxIdleConnections' | 'maxIdleConnectionsPerHost'>) {
  const running = new Map<string, number>()
  let total = 0
  return {
    /** False: the connection must not be kept. */
    acquire(origin: string): boolean {
      const here = (running.get(origin) ?? 0) + 1
      running.set(origin, here)
      total++
      return here <= limits.maxIdleConnectionsPerHost && total <= limits.maxIdleConnections
    },
    release(origin: string): void {
      total--
      const left = (running.get(origin) ?? 1) - 1
      if (left === 0) running.delete(origin)
      else running.set(origin, left)
    },
  }
}

function createHandler(events: UpstreamEvents, onSettled: () => void): UpstreamCall & Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | undefined
  let status = 0
  let settled = false
  const settle = (): boolean => {
    if (settled) return false
    settled = true
    onSettled()
    return true
  }

  return {
    get bytesSent() {
      return controller !== undefined
    },
    resume: () => controller?.resume(),
    abort() {
      if (settle()) controller?.abort(abandoned)
    },
    onRequestStart(started) {
      controller = started
      if (settled) started.abort(abandoned)
    },
    onResponseStart(response, code) {
      status = code
      // 1xx: hints on the way to the answer, not passed on in this version.
      if (!settled && code >= 200) events.onHead(code, rawHeadersOf(response))
    },
    onResponseData(response, chunk) {
      if (!settled && !events.onData(chunk)) response.pause()
    },
    onResponseEnd() {
      if (settle()) events.onEnd()
    },
    onRequestUpgrade(response, _status, _headers: IncomingHttpHeaders, socket) {
      if (settle()) events.onUpgraded(rawHeadersOf(response), socket)
      else socket.destroy()
    },
    onResponseError(_response, error) {
      if (!settle()) return
      if (isWhole(status, error)) events.onEnd()
      else events.onFailed(failureOf(error, controller !== undefined), error)
    },
  }
}

/**
 * A 304 may carry the length of the body it does not have (RFC 9110 section 8.6); undici 7.30 takes that for a body cut
 * short.
 */
function isWhole(status: number, error: Error): boolean {
  return status === 304 && codeOf(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
}

const abandoned = new Error('attempt abandoned')

/** Name, value, name, value; undici hands over the bytes. */
function rawHeadersOf(response: Dispatcher.DispatchController): readonly string[] {
  const raw = response.rawHeaders
  return Array.isArray(raw) ? raw.map(part => (typeof part === 'string' ? part : part.toString('latin1'))) : []
}

function failureOf(error: Error, connected: boolean): Failure {
  const code = codeOf(error)
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return 'unsendable'
  if (!connected) return 'connectFailed'
  return code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' ? 'badResponse' : 'connectionLost'
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}
