/** The REST API and the command line over a real socket, with a cluster of sixty services behind them. */
import { request, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { promMetrics } from '../../src/adapters/node/prom-metrics.ts'
import type { InstanceView } from '../../src/core/registry/index.ts'
import { runCli } from '../../src/delivery/cli/index.ts'
import { createAuthorise, createRestServer } from '../../src/delivery/rest/index.ts'
import { nodeName, serviceId } from '../../src/kernel/units.ts'
import { aFacade } from '../../src/testing/a-facade.ts'
import { aNodeView, aView, anInstanceView, aRoutingWish } from '../../src/testing/builders.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'

const token = 'a-token-of-some-length'
const serviceCount = 60
const nodeNames = ['node-a', 'node-b', 'node-c'].map(nodeName)

function sixtyServices() {
  const instancesOf = (node: (typeof nodeNames)[number]): InstanceView[] =>
    Array.from({ length: serviceCount }, (_, number) =>
      anInstanceView({
        node,
        service: serviceId(`stack${number % 6}:web${number}`),
        containerId: String(number).padStart(64, '0'),
        containerName: `stack${number % 6}-web${number}-1`,
        routing: aRoutingWish({ host: `web${number}` }),
        ...(node === 'node-c' && number % 10 === 0 ? unhealthy : {}),
      }),
    )
  const nodes = nodeNames.map((name, index) =>
    aNodeView({ name, address: { ip: `100.64.0.${index + 1}`, port: 7946 }, instances: instancesOf(name) }),
  )
  return aView({ revision: 42, nodes })
}

const unhealthy = { state: 'unhealthy', traffic: 'no', trafficReason: 'unhealthy', reason: 'exit 1' } as const

let app: FastifyInstance
let port = 0

beforeAll(async () => {
  app = await createRestServer({
    facade: aFacade({}, sixtyServices()),
    metrics: promMetrics(),
    log: recordingLog(),
    authorise: createAuthorise({ token, hostNames: ['node-a'] }),
    version: '1.2.3',
  })
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
})

afterAll(() => app.close())

function get(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, headers }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      )
    })
    asking.on('error', reject)
    asking.end()
  })
}

/** Bytes in, everything that comes back until the server ends the connection. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('utf8')
    socket.on('data', chunk => (text += String(chunk)))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}

/** A port that was free a moment ago. */
function closedPort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

test('all sixty services come with all their instances', async () => {
  const { status, body } = await get('/api/v1/services')
  const { services, viewRevision } = JSON.parse(body) as {
    viewRevision: number
    services: { state: string; instances: unknown[] }[]
  }
  expect([status, viewRevision, services.length]).toEqual([200, 42, serviceCount])
  expect(services.every(({ instances }) => instances.length === 3)).toBe(true)
  expect(services.filter(({ state }) => state === 'degraded')).toHaveLength(6)
})

test('a hundred at once get the same bytes', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => get('/api/v1/services')))
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  expect(answers.every(({ status }) => status === 200)).toBe(true)
})

test('who asks again gets 304 without a body', async () => {
  const first = await get('/api/v1/nodes')
  const again = await get('/api/v1/nodes', { 'if-none-match': String(first.headers.etag) })
  expect([again.status, again.body, again.headers['content-type']]).toEqual([304, '', undefined])
})

test('Prometheus finds our numbers and those of the process', async () => {
  await get('/api/v1/status')
  const { body } = await get('/metrics')
  expect(body).toMatch(/^constellation_http_requests_total\{method="GET",route="\/api\/v1\/status",code="200"\} [1-9]/m)
  expect(body).toMatch(/^process_resident_memory_bytes \d/m)
  const json = JSON.parse((await get('/api/v1/metrics')).body) as Record<string, unknown>
  expect(json).toHaveProperty('nodejs_eventloop_lag_seconds')
})

describe('over loopback', () => {
  test.each([
    ['an address', '127.0.0.1:8080', 200],
    ['the name of the node', 'node-a:8080', 200],
    ['a name that was rebound to loopback', 'evil.example:8080', 401],
  ])('Host is %s', async (_, host, status) => {
    expect((await get('/api/v1/status', { host })).status).toBe(status)
  })

  test('what a reverse proxy passed on needs the token', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.9' }
    expect((await get('/api/v1/status', forwarded)).status).toBe(401)
    expect((await get('/api/v1/status', { ...forwarded, authorization: `Bearer ${token}` })).status).toBe(200)
  })
})

describe('what is not HTTP', () => {
  test.each([
    ['garbage', 'hello\r\n\r\n', 400],
    ['a header that never ends', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
  ])('%s is answered with a problem and the end of the connection', async (_, bytes, status) => {
    const text = await raw(bytes)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).toMatchObject({ status, code: 'REQUEST_BROKEN' })
  })
})

describe('the command line', () => {
  async function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', '']
    const code = await runCli(args, {
      version: '1.2.3',
      io: {
        out: text => (out += text),
        err: text => (err += text),
        colours: false,
        terminal: false,
        wallNow: () => Date.now(),
        now: () => performance.now(),
      },
      configFlags: [],
      loadConfig: () => {
        const config = { api: { port }, paths: { secretsPath: '/nowhere' } }
        return Promise.resolve({ config, file: undefined, settings: [] })
      },
      runAgent: () => Promise.resolve(0),
      runDemo: () => Promise.resolve(0),
      readToken: () => Promise.resolve(token),
      readFile: () => Promise.reject(new Error('there are no files here')),
      readStdin: () => Promise.resolve(''),
      sleep: () => Promise.resolve(),
      interruption: () => new AbortController().signal,
      fetch,
    })
    return { code, out, err }
  }

  test('status, nodes and services talk to the agent', async () => {
    expect((await cli('status')).out).toContain('54 healthy, 6 degraded, 0 down')
    expect((await cli('nodes')).out.trim().split('\n')).toHaveLength(4)
    expect((await cli('services')).out.trim().split('\n')).toHaveLength(serviceCount + 1)
    const { code, out } = await cli('services', 'web10')
    expect(code).toBe(1)
    expect(out).toMatch(/^node-c\s+stack4-web10-1\s+unhealthy\s.*\sno\s+unhealthy\s+-$/m)
  })

  test('where nobody listens it says so and ends with 3', async () => {
    const api = `http://127.0.0.1:${await closedPort()}`
    const { code, err } = await cli('status', '--api', api)
    expect(code).toBe(3)
    expect(err).toContain(`no agent answers at ${api}: fetch failed: connect ECONNREFUSED`)
  })
})
