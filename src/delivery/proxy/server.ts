/**
 * The SmartFailoverProxy: an HTTP server that answers by asking the instances of the route plan. Requests are checked in
 * intake.ts and seen through in exchange.ts; here is what surrounds them. A new plan counts for requests that come after
 * it, those in flight keep the instances they were given.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { RoutePlanHandle } from '../../controllers/handles.ts'
import type { BatchMarks } from '../../controllers/journal.ts'
import { createHostTable, responseHeadersToForward } from '../../core/proxy/index.ts'
import type { Pool } from '../../core/routing/index.ts'
import { invariant } from '../../kernel/invariant.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'
import { runExchange, type Accepted } from './exchange.ts'
import { refusedMethod, refusedUpgrade, takeIn, type Intake, type Taken } from './intake.ts'
import { proxyOptionsDefault, type ProxyOptions } from './options.ts'
import { answerProblem } from './problem.ts'
import { createProxyReport, type ProxyStats } from './report.ts'
import { announcedBody, collectBody, passThrough, type RequestBody } from './request-body.ts'
import { createTunnels, tunnelledProtocol } from './upgrade.ts'
import { createUpstream } from './upstream.ts'

export interface ProxyParts {
  readonly plan: RoutePlanHandle
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Where it is marked that requests follow a new plan. Default: nowhere. */
  readonly journal?: BatchMarks
  /** This node; named in refusals. */
  readonly node: NodeName
  /** Is this the mesh address of ANOTHER node? Its requests are answered from this node alone. */
  readonly isPeerAddress: (ip: string) => boolean
  readonly options?: Partial<ProxyOptions>
}

export interface ProxyServer {
  /** Not listening yet. */
  readonly server: Server
  stats(): ProxyStats & { readonly hosts: number; readonly tunnels: number }
  /** Takes no new request, lets those in flight end for up to `graceMs`, then cuts what is left. */
  close(graceMs?: Millis): Promise<void>
}

export function createProxyServer(parts: ProxyParts): ProxyServer {
  const { clock, plan } = parts
  const options: ProxyOptions = { ...proxyOptionsDefault, ...parts.options }
  const report = createProxyReport(clock, parts.log, parts.metrics)
  const upstream = createUpstream(options)
  const tunnels = createTunnels()
  const turns = new Map<string, number>()
  let table = createHostTable(plan.current())
  let closing = false
  const unsubscribe = plan.onChange(next => {
    table = createHostTable(next)
    turns.clear()
    parts.journal?.markWaiting('turned', clock.now(), 'new requests follow the plan')
  })
  const intakeTools = { table: () => table, node: parts.node, isPeerAddress: parts.isPeerAddress, nextTurn }
  const exchangeTools = { clock, options, report, upstream }

  function nextTurn(pool: Pool): number {
    const turn = turns.get(pool.name) ?? 0
    turns.set(pool.name, turn + 1)
    return turn
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    response.once('close', onAnswered)
    const intake = takeIn(intakeTools, request)
    if (intake.kind === 'refused') refuse(response, intake)
    else receive(request, response, intake.taken)
  }

  /** A connection is idle only after the turn in which its answer ended; Node leaves it open then, even while closing. */
  function onAnswered(): void {
    if (closing) setImmediate(() => server.closeIdleConnections())
  }

  function refuse(response: ServerResponse, intake: Extract<Intake, { kind: 'refused' }>): void {
    report.refused(intake.reason)
    answerProblem(response, intake.problem)
  }

  /** Waits for a body that is to be kept; everything else can start at once. */
  function receive(request: IncomingMessage, response: ServerResponse, taken: Taken): void {
    const start = (body: RequestBody): void => runExchange(exchangeTools, { request, response, body, ...taken })
    const announced = announcedBody(request, options.replayBytesMax)
    if (announced === 'none') start({ kind: 'none' })
    else if (announced === 'streamed') start({ kind: 'streamed', open: onUploaded => passThrough(request, onUploaded) })
    else {
      const disarm = clock.at(clock.now() + options.timeoutMs, () => refuse(response, bodyTimeout))
      response.once('close', disarm)
      collectBody(request, bytes => {
        disarm()
        if (!response.headersSent) start({ kind: 'buffered', bytes })
      })
    }
  }

  function onUpgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    invariant(socket instanceof Socket, 'an HTTP server over TCP hands out sockets')
    if (early.length > 0) socket.unshift(early)
    const response = tunnels.respondOn(request, socket)
    const protocol = tunnelledProtocol(request)
    const intake = protocol === undefined ? refusedUpgrade(request.headers.upgrade) : takeIn(intakeTools, request)
    if (intake.kind === 'refused' || protocol === undefined) {
      if (intake.kind === 'refused') refuse(response, intake)
      return
    }
    const onSwitched: NonNullable<Accepted['upgrade']>['onSwitched'] = (member, headers, upstreamSocket) =>
      tunnels.open(response, socket, upstreamSocket, protocol, responseHeadersToForward(headers, member.node))
    const body: RequestBody = { kind: 'none' }
    runExchange(exchangeTools, { request, response, body, ...intake.taken, upgrade: { protocol, onSwitched } })
  }

  function onConnect(request: IncomingMessage, socket: Duplex): void {
    invariant(socket instanceof Socket, 'an HTTP server over TCP hands out sockets')
    const intake = refusedMethod('CONNECT')
    if (intake.kind === 'refused') refuse(tunnels.respondOn(request, socket), intake)
  }

  const server = createServer(
    {
      headersTimeout: options.headTimeoutMs,
      // Uploads may take their time; the stall timeout sees to those that stop.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(options.headTimeoutMs, 5_000),
      keepAliveTimeout: options.clientIdleTimeoutMs,
      maxHeaderSize: 65_536,
      noDelay: true,
      // Event streams and tunnels may be silent for hours; a client that vanished must still be noticed.
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    },
    onRequest,
  )
  server.on('upgrade', onUpgrade).on('connect', onConnect)
  server.timeout = options.stallTimeoutMs

  return {
    server,
    stats: () => ({ ...report.stats(), hosts: table.size, tunnels: tunnels.active }),
    async close(graceMs = 0) {
      unsubscribe()
      closing = true
      const closed = new Promise<void>(resolve => {
        server.close(() => resolve())
      })
      server.closeIdleConnections()
      const disarm = clock.at(clock.now() + graceMs, () => {
        server.closeAllConnections()
        tunnels.closeAll()
      })
      await closed
      disarm()
      await upstream.destroy()
    },
  }
}

const bodyTimeout: Extract<Intake, { kind: 'refused' }> = {
  kind: 'refused',
  reason: 'bodyTimeout',
  problem: {
    status: 408,
    code: 'BODY_TIMEOUT',
    title: 'Request Timeout',
    detail: 'the request body did not arrive in time',
  },
}
