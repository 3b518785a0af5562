/**
 * The REST API: reads what the facade answers and adds what HTTP asks for. Decides nothing about the cluster, and binds no
 * address: whoever made it listens.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Facade } from '../../controllers/facade.ts'
import { describeError } from '../../kernel/errors.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { Authorise } from './auth.ts'
import { openApi } from './open-api.ts'
import { ProblemError, problemBody, problemContentType, problemOf, sendProblem } from './problem.ts'
import { addGossipRoutes } from './routes/gossip.ts'
import { addHealthRoute } from './routes/health.ts'
import { addKeyRoutes } from './routes/keys.ts'
import { addMetricsRoutes } from './routes/metrics.ts'
import { addNodeRoutes } from './routes/nodes.ts'
import { addOpenApiRoute } from './routes/openapi.ts'
import { addServiceRoutes } from './routes/services.ts'
import { addStatusRoute } from './routes/status.ts'

export interface RestParts {
  readonly facade: Facade
  readonly metrics: Metrics
  readonly log: Log
  readonly authorise: Authorise
  readonly version: string
}

/** A client that sends its request more slowly than this is cut off. */
const requestTimeoutMs = 10_000
/** Longer than a poller's usual period, so that it keeps its connection. */
const keepAliveTimeoutMs = 75_000

export async function createRestServer(parts: RestParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    // The key of a walk: `project:service@node#revision`, 128 characters each, and percent-encoding may triple it.
    routerOptions: { maxParamLength: 3 * 420 },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
    clientErrorHandler: answerBrokenRequest,
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  guard(app, parts.authorise)
  count(app, parts.metrics)
  answerErrors(app, parts.log)
  await app.register(swagger, openApi(parts.version))
  addHealthRoute(app, parts.facade)
  addStatusRoute(app, parts.facade)
  addNodeRoutes(app, parts.facade)
  addServiceRoutes(app, parts.facade)
  addGossipRoutes(app, parts.facade)
  addKeyRoutes(app, parts.facade)
  addMetricsRoutes(app, parts.metrics)
  addOpenApiRoute(app)
  return app
}

function guard(app: FastifyInstance, authorise: Authorise): void {
  app.addHook('onRequest', (request, reply, done) => {
    // A route whose answer may be kept says so itself.
    void reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    const { method, ip, headers } = request
    const verdict = authorise({ method, remoteAddress: ip, headers })
    if (verdict.kind === 'allowed') return done()
    const { code, detail } = verdict
    return done(
      new ProblemError({ status: 401, code, detail, headers: { 'www-authenticate': 'Bearer realm="constellation"' } }),
    )
  })
}

/** By route, never by path: paths are the client's choice and would grow the metric without bound. */
function count(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched'
    metrics.count('constellation_http_requests_total', {
      method: request.method,
      route,
      code: String(reply.statusCode),
    })
    done()
  })
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem.status === 500) log.error(`${request.method} ${request.url} failed`, { error })
    return sendProblem(reply, problem)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'ROUTE_UNKNOWN',
      detail: `there is nothing at ${request.url.split('?')[0] ?? '/'}; /openapi.json lists what there is`,
    }),
  )
}

/** What is not HTTP never becomes a request, so it is answered on the socket. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  const body = JSON.stringify(problemBody({ status, code: 'REQUEST_BROKEN', detail: describeError(error) }))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `content-type: ${problemContentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
