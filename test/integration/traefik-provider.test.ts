/** The provider over a real loopback socket, asked as Traefik asks: plain GET, whole body, nothing but 200 counts. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { TraefikDocument } from '../../src/controllers/handles.ts'
import { createSubject } from '../../src/controllers/observable.ts'
import { createRoutingController } from '../../src/controllers/routing.ts'
import { validateTraefikDocument } from '../../src/core/routing/index.ts'
import { createTraefikServer } from '../../src/delivery/traefik.ts'
import { aNodeView, anInstanceView, aView } from '../../src/testing/builders.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { recordingMetrics } from '../../src/testing/recording-metrics.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const closers: (() => void)[] = []
afterEach(() => closers.splice(0).forEach(close => close()))

const documentPaths = ['/', '/api/dynamic', '/traefik/config']
const viewPaths = [
  ...['routers', 'services', 'middlewares', 'serversTransports'].flatMap(kind => [
    `/api/http/${kind}`,
    `/api/tcp/${kind}`,
  ]),
  '/api/udp/routers',
  '/api/udp/services',
]

/** A provider whose document is what the routing controller makes of one service, once `complete` was called. */
async function provider(auth: (request: IncomingMessage) => boolean = () => true) {
  const clock = new VirtualClock()
  const metrics = recordingMetrics()
  const log = recordingLog()
  const nodes = [aNodeView({ instances: [anInstanceView()] })]
  const view = createSubject(aView({ nodes, complete: false }))
  const options = { domain: 'example.org', traefik: { version: '3.0', entryPoints: ['websecure'] } }
  const routing = createRoutingController({ view, clock, metrics, log, options })
  routing.start()
  const server = createTraefikServer({ document: routing.document, metrics, log, auth })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    routing.stop()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // a TCP server has no other kind of address
  return {
    metrics,
    /** Once the view is complete, after the debounce. */
    complete: (): TraefikDocument => {
      view.set(aView({ nodes, complete: true }))
      clock.advance(200)
      const document = routing.document.current()
      if (document === undefined) throw new Error('no document after a complete view')
      return document
    },
    ask: (path: string, headers: Record<string, string> = {}, method = 'GET') => ask(port, path, headers, method),
  }
}

function ask(port: number, path: string, headers: Record<string, string>, method: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers, method }, incoming => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => (body += chunk))
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

describe('before the first document', () => {
  test('every document path and view answers 503 with a problem, and never an empty 200', async () => {
    const { ask } = await provider()
    for (const path of [...documentPaths, ...viewPaths]) {
      const reply = await ask(path)
      expect([path, reply.status, reply.headers['content-type']]).toEqual([path, 503, 'application/problem+json'])
      expect(JSON.parse(reply.body)).toMatchObject({
        status: 503,
        title: 'Service Unavailable',
        code: 'NO_DOCUMENT_YET',
      })
    }
  })

  test('health says so', async () => {
    const { ask } = await provider()
    expect(await ask('/health')).toMatchObject({ status: 503, body: 'no document yet\n' })
  })
})

describe('the document', () => {
  test('is served at the root and at both other paths, the same bytes, and Traefik would accept them', async () => {
    const { ask, complete } = await provider()
    const { json } = complete()
    for (const path of [...documentPaths, '/?x=1']) {
      const reply = await ask(path)
      expect(reply).toMatchObject({ status: 200, body: json })
      expect(reply.headers['content-type']).toBe('application/json')
      expect(validateTraefikDocument(reply.body)).toMatchObject({ ok: true })
    }
  })

  test('is never a 304, whatever validator is sent', async () => {
    const { ask, complete } = await provider()
    const { etag } = complete()
    for (const validator of ['*', etag]) expect((await ask('/', { 'If-None-Match': validator })).status).toBe(200)
  })

  test('polls are counted by what they were answered', async () => {
    const { ask, complete, metrics } = await provider()
    await ask('/')
    complete()
    await ask('/')
    await ask('/api/dynamic')
    await ask('/api/http/routers')
    const polls = (code: string): number => metrics.value('constellation_traefik_polls_total', { code })
    expect([polls('503'), polls('200')]).toEqual([1, 2])
  })
})

describe('views of the document', () => {
  test('are its sections as maps keyed by name, {} where there is none', async () => {
    const { ask, complete } = await provider()
    const { http } = JSON.parse(complete().json) as { http: Record<string, object> }
    for (const path of viewPaths) {
      const reply = await ask(path)
      const section = path.startsWith('/api/http/') ? http[path.slice('/api/http/'.length)] : undefined
      expect([path, reply.status, JSON.parse(reply.body)]).toEqual([path, 200, section ?? {}])
    }
  })

  test('answer 304 to whoever has them already', async () => {
    const { ask, complete } = await provider()
    complete()
    const { headers } = await ask('/api/http/routers')
    const etag = headers.etag ?? ''
    expect(etag).toMatch(/^"[\w-]+"$/)
    for (const validator of [etag, `W/${etag}`, `"other", ${etag}`, '*'])
      expect(await ask('/api/http/routers', { 'If-None-Match': validator })).toMatchObject({ status: 304, body: '' })
    expect(await ask('/api/http/services', { 'If-None-Match': etag })).toMatchObject({ status: 200 })
  })
})

test('HEAD answers the headers of GET without a body', async () => {
  const { ask, complete } = await provider()
  const { json } = complete()
  const reply = await ask('/', {}, 'HEAD')
  expect(reply).toMatchObject({ status: 200, body: '' })
  expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(json)))
})

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is not allowed', async method => {
  const { ask, complete } = await provider()
  complete()
  const reply = await ask('/', {}, method)
  expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, HEAD'])
})

test.each(['/api', '/api/http', '/api/udp/middlewares', '/api/http/routers/', '/__proto__', '//', '/api/overview'])(
  '%s is no path of ours and answers a problem',
  async path => {
    const { ask, complete } = await provider()
    complete()
    const reply = await ask(path)
    expect(reply.status).toBe(404)
    expect(reply.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(reply.body)).toMatchObject({ status: 404, code: 'PATH_UNKNOWN' })
  },
)

test('without permission nothing but the health is told', async () => {
  const { ask, complete } = await provider(({ headers }) => headers.authorization === 'Bearer right')
  const { json } = complete()
  for (const path of [...documentPaths, ...viewPaths, '/nowhere']) {
    const reply = await ask(path)
    expect([reply.status, reply.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    expect(reply.body).not.toContain('shop')
  }
  expect(await ask('/', { Authorization: 'Bearer right' })).toMatchObject({ status: 200, body: json })
  expect(await ask('/health')).toMatchObject({ status: 200, body: 'OK\n' })
})
