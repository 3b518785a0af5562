import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import type { Facade } from '../../controllers/facade.ts'
import { recordingLog } from '../../testing/recording-log.ts'
import { recordingMetrics } from '../../testing/recording-metrics.ts'
import { aFacade } from '../../testing/a-facade.ts'
import { createAuthorise } from './auth.ts'
import { createRestServer } from './server.ts'

const token = 'a-token-of-some-length'
const paths = [
  '/health',
  '/api/v1/status',
  '/api/v1/nodes',
  '/api/v1/nodes/node-a',
  '/api/v1/services',
  '/api/v1/services/shop:web',
  '/api/v1/gossip',
  '/api/v1/gossip/members',
  '/api/v1/gossip/trace/web@node-b',
  '/api/v1/gossip/keys',
  '/api/v1/metrics',
]
const changes = ['install', 'use', 'remove'].map(word => `/api/v1/gossip/keys/${word}`)

/** As OpenAPI writes it. */
function templateOf(path: string): string {
  return path
    .replace(/trace\/.*/, 'trace/{key}')
    .replace(/node-[az]$/, '{node}')
    .replace('shop:web', '{service}')
}

/** Making a server takes longer than asking it, so tests that change nothing share one. */
let shared: ReturnType<typeof makeRest> | undefined

function rest(facade?: Facade): ReturnType<typeof makeRest> {
  return facade === undefined ? (shared ??= makeRest(aFacade())) : makeRest(facade)
}

async function makeRest(facade: Facade) {
  const metrics = recordingMetrics()
  const log = recordingLog()
  const authorise = createAuthorise({ token, hostNames: [] })
  const app = await createRestServer({ facade, metrics, log, authorise, version: '1.2.3' })
  metrics.gauge('constellation_view_revision', 7)
  return { app, metrics, log }
}

async function get(app: FastifyInstance, url: string, headers: Record<string, string> = {}) {
  return app.inject({ method: 'GET', url, headers: { host: 'localhost:8080', ...headers } })
}

test.each(paths)('GET %s answers JSON', async path => {
  const { app } = await rest()
  const answer = await get(app, path)
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(answer.headers['x-content-type-options']).toBe('nosniff')
})

test('a service can be asked for by name, and percent-encoded', async () => {
  const { app } = await rest()
  expect((await get(app, '/api/v1/services/web')).json()).toMatchObject({ id: 'shop:web' })
  expect((await get(app, '/api/v1/services/shop%3Aweb')).json()).toMatchObject({ id: 'shop:web' })
})

test('a walk can be asked for by its whole key, percent-encoded, and by its short name', async () => {
  const { app } = await rest()
  for (const key of ['shop:web@node-b#8', 'web@node-b#8', 'shop:web@node-b', 'web@node-b'])
    expect((await get(app, `/api/v1/gossip/trace/${encodeURIComponent(key)}`)).json()).toMatchObject({
      key: 'shop:web@node-b#8',
      node: 'node-a',
    })
})

test('who asks for a walk that is not held learns which are', async () => {
  const { app } = await rest()
  const answer = (await get(app, '/api/v1/gossip/trace/nothing')).json<{ detail: string; reasons: readonly string[] }>()
  expect(answer.reasons).toEqual(['shop:web@node-b#8'])
  expect(answer.detail).toBe('node-a holds no walk "nothing" (service@node#revision); it holds these, the newest first')
})

test('Prometheus gets its text', async () => {
  const { app } = await rest()
  const answer = await get(app, '/metrics')
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(answer.body).toContain('constellation_view_revision{} 7')
})

test('HEAD answers like GET without a body', async () => {
  const { app } = await rest()
  const answer = await app.inject({ method: 'HEAD', url: '/api/v1/nodes', headers: { host: 'localhost' } })
  expect(answer.statusCode).toBe(200)
  expect(answer.body).toBe('')
})

describe('problems', () => {
  const sick = aFacade({ health: () => ({ ok: false, reasons: ['the docker engine does not answer'] }) })
  const broken = aFacade({
    status: () => {
      throw new Error('secret inside')
    },
  })

  test.each([
    ['an unknown route', 'GET', '/nothing', 404, 'ROUTE_UNKNOWN', undefined],
    ['an unknown node', 'GET', '/api/v1/nodes/node-z', 404, 'NODE_UNKNOWN', undefined],
    ['an unknown service', 'GET', '/api/v1/services/nothing', 404, 'SERVICE_UNKNOWN', undefined],
    ['a name of two services', 'GET', '/api/v1/services/db', 404, 'SERVICE_AMBIGUOUS', undefined],
    ['a walk nobody has heard of', 'GET', '/api/v1/gossip/trace/web%40node-z%231', 404, 'TRACE_UNKNOWN', undefined],
    ['an impossible name', 'GET', `/api/v1/nodes/${'x'.repeat(200)}`, 400, 'REQUEST_INVALID', undefined],
    ['broken percent-encoding', 'GET', '/api/v1/nodes/%zz', 400, 'REQUEST_INVALID', undefined],
    ['a method that is not there', 'DELETE', '/api/v1/nodes/node-a', 405, 'METHOD_NOT_ALLOWED', undefined],
    ['an agent that is not ready', 'GET', '/health', 503, 'NOT_READY', sick],
    ['a bug', 'GET', '/api/v1/status', 500, 'INTERNAL', broken],
  ] as const)('%s', async (_, method, url, status, code, facade) => {
    const { app } = await rest(facade)
    const headers = { host: 'localhost', authorization: `Bearer ${token}` }
    const answer = await app.inject({ method, url, headers })
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject({ type: 'about:blank', title: expect.any(String), status, code })
    expect(answer.json()).toHaveProperty('detail', expect.stringMatching(/\w/))
    expect(answer.body).not.toContain('secret inside')
  })

  test('not ready says why, for people and for programs', async () => {
    const { app } = await rest(sick)
    expect((await get(app, '/health')).json()).toMatchObject({
      detail: 'the docker engine does not answer',
      reasons: ['the docker engine does not answer'],
    })
  })

  test('a bug is in the log with its cause', async () => {
    const { app, log } = await rest(broken)
    await get(app, '/api/v1/status')
    expect(log.lines).toMatchObject([{ level: 'error', message: 'GET /api/v1/status failed', fields: { error: {} } }])
  })

  test('405 names what is allowed', async () => {
    const { app } = await rest()
    const headers = { host: 'localhost', authorization: `Bearer ${token}`, 'content-type': 'text/odd' }
    const answer = await app.inject({ method: 'POST', url: '/api/v1/status', headers, payload: 'x' })
    expect(answer.statusCode).toBe(405)
    expect(answer.headers['allow']).toBe('GET, HEAD')
  })
})

describe('who may ask', () => {
  const everything = [...paths, '/metrics', '/openapi.json', '/nothing']

  test.each(everything)('%s asks another node for the token', async url => {
    const { app } = await rest()
    const headers = { host: '100.64.0.1:8080' }
    const refused = await app.inject({ method: 'GET', url, headers, remoteAddress: '100.64.0.2' })
    expect(refused.statusCode).toBe(401)
    expect(refused.headers['www-authenticate']).toBe('Bearer realm="constellation"')
    expect(refused.json()).toMatchObject({ code: 'TOKEN_MISSING' })
    const withToken = { ...headers, authorization: `Bearer ${token}` }
    const answered = await app.inject({ method: 'GET', url, headers: withToken, remoteAddress: '100.64.0.2' })
    expect(answered.statusCode).toBe(url === '/nothing' ? 404 : 200)
  })

  test('a page of a rebound name learns nothing', async () => {
    const { app } = await rest()
    const answer = await get(app, '/api/v1/nodes', { host: 'evil.example' })
    expect(answer.statusCode).toBe(401)
    expect(answer.body).not.toContain('100.64')
  })

  test('a change over loopback needs the token before it is told that there are none', async () => {
    const { app } = await rest()
    const answer = await app.inject({ method: 'POST', url: '/api/v1/nodes', headers: { host: 'localhost' } })
    expect(answer.statusCode).toBe(401)
  })
})

describe('keys of gossip', () => {
  const headers = { host: 'localhost', authorization: `Bearer ${token}` }
  const [first, second, third] = ['111111111111', '222222222222', '333333333333']
  const newKey = Buffer.alloc(32, 0x33).toString('base64')

  const post = (app: FastifyInstance, word: string, payload: object, over: Record<string, string> = headers) =>
    app.inject({ method: 'POST', url: `/api/v1/gossip/keys/${word}`, headers: over, payload })

  test('are listed by fingerprint, with who encrypts with which', async () => {
    const { app } = await rest()
    expect((await get(app, '/api/v1/gossip/keys')).json()).toMatchObject({
      operation: 'list',
      complete: true,
      keys: [{ fingerprint: first, primaryOn: ['node-a', 'node-b'], missingOn: [] }, { fingerprint: second }],
      nodes: [{ node: 'node-a', outcome: 'done', fingerprints: [first, second] }, { node: 'node-b' }],
    })
  })

  test('are rotated by install, use and remove; a key is never in an answer', async () => {
    const { app } = await rest(aFacade())
    const installed = await post(app, 'install', { key: newKey })
    expect([installed.statusCode, installed.json().nodes[1].fingerprints]).toEqual([200, [first, second, third]])
    expect(installed.body).not.toContain(newKey)
    const used = await post(app, 'use', { fingerprint: third })
    expect(used.json().keys[0]).toEqual({ fingerprint: third, primaryOn: ['node-a', 'node-b'], missingOn: [] })
    const removed = await post(app, 'remove', { fingerprint: first })
    expect(removed.json()).toMatchObject({ complete: true, keys: [{ fingerprint: third }, { fingerprint: second }] })
  })

  test.each(changes)('%s needs the token, over loopback, too', async url => {
    const { app } = await rest()
    const answer = await app.inject({ method: 'POST', url, headers: { host: 'localhost' }, payload: {} })
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'TOKEN_MISSING'])
  })

  test.each([
    ['a key that is no base64', 'install', { key: 'no!' }, 400, 'KEY_INVALID'],
    ['a key of a wrong length', 'install', { key: 'AAAA' }, 400, 'KEY_INVALID'],
    ['an endless key', 'install', { key: 'A'.repeat(1_000) }, 400, 'REQUEST_INVALID'],
    ['no key', 'install', {}, 400, 'REQUEST_INVALID'],
    ['half a fingerprint', 'use', { fingerprint: '1111' }, 400, 'REQUEST_INVALID'],
    ['an unknown key', 'use', { fingerprint: 'abcdefabcdef' }, 409, 'KEYS_REFUSED'],
    ['the primary', 'remove', { fingerprint: first }, 409, 'KEYS_REFUSED'],
  ])('%s is refused', async (_, word, payload, status, code) => {
    const { app } = await rest()
    const answer = await post(app, word, payload)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
  })

  test('who refused, and who did it all the same, is in the reasons', async () => {
    const nodes = [
      { node: 'node-a', outcome: 'done', fingerprints: [first] },
      { node: 'node-b', outcome: 'refused', fingerprints: [], reason: 'the disk is full' },
      { node: 'node-c', outcome: 'silent', fingerprints: [], reason: 'it did not answer in time' },
    ] as const
    const refusals = ['node-b: the disk is full']
    const keys: Facade['keys'] = () =>
      Promise.resolve({ operation: 'install', complete: false, refusals, keys: [], nodes })
    const { app } = await rest(aFacade({ keys }))
    const answer = await post(app, 'install', { key: newKey })
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({
      detail: 'install: done by 1 of 3 nodes',
      reasons: ['node-a: done', 'node-b: the disk is full', 'node-c: it did not answer in time'],
    })
  })

  test('a node that is silent is shown in the answer, not hidden and not an error', async () => {
    const nodes = [
      { node: 'node-c', outcome: 'silent', fingerprints: [], reason: 'it did not answer in time' },
    ] as const
    const keys: Facade['keys'] = () =>
      Promise.resolve({ operation: 'install', complete: false, refusals: [], keys: [], nodes })
    const { app } = await rest(aFacade({ keys }))
    const answer = await post(app, 'install', { key: newKey })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({ complete: false, nodes: [{ node: 'node-c', outcome: 'silent' }] })
  })

  test.each([
    ['GET', '/api/v1/gossip/keys/use', 'POST'],
    ['DELETE', '/api/v1/gossip/keys/install', 'POST'],
    ['POST', '/api/v1/gossip/keys', 'GET, HEAD'],
  ] as const)('%s %s is told what is allowed', async (method, url, allow) => {
    const { app } = await rest()
    const answer = await app.inject({ method, url, headers })
    expect([answer.statusCode, answer.headers['allow']]).toEqual([405, allow])
  })

  test('the document says that a change needs the token', async () => {
    const { app } = await rest()
    const { paths: documented } = (await get(app, '/openapi.json')).json()
    for (const url of changes) expect(documented[url].post.security).toEqual([{ token: [] }])
    expect(Object.keys(documented[changes[0] ?? ''].post.responses)).toEqual(['200', '400', '401', '409'])
  })
})

describe('validators', () => {
  test('the same bytes are sent once', async () => {
    const { app } = await rest()
    const first = await get(app, '/api/v1/services')
    const etag = String(first.headers['etag'])
    const again = await get(app, '/api/v1/services', { 'if-none-match': `"other", W/${etag}` })
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([304, '', etag])
    expect((await get(app, '/api/v1/services', { 'if-none-match': '"other"' })).statusCode).toBe(200)
  })

  test('what changes all the time has none and may not be kept', async () => {
    const { app } = await rest()
    const answer = await get(app, '/api/v1/status')
    expect(answer.headers['etag']).toBeUndefined()
    expect(answer.headers['cache-control']).toBe('no-store')
  })
})

test('requests are counted by route pattern, never by path', async () => {
  const { app, metrics } = await rest(aFacade())
  await get(app, '/api/v1/nodes/node-a')
  await get(app, '/api/v1/nodes/node-z')
  await get(app, '/no/such/path')
  const counted = (route: string, code: string): number =>
    metrics.value('constellation_http_requests_total', { method: 'GET', route, code })
  expect(counted('/api/v1/nodes/:node', '200')).toBe(1)
  expect(counted('/api/v1/nodes/:node', '404')).toBe(1)
  expect(counted('unmatched', '404')).toBe(1)
})

describe('/openapi.json', () => {
  interface Document {
    readonly openapi: string
    readonly paths: Record<
      string,
      { get: { responses: Record<string, { content: Record<string, { schema: object }> }> } }
    >
    readonly components: { schemas: Record<string, object> }
  }

  async function document(app: FastifyInstance): Promise<Document> {
    return (await get(app, '/openapi.json')).json()
  }

  test('it is OpenAPI 3.1 and lists every route', async () => {
    const { app } = await rest()
    const { openapi, paths: documented } = await document(app)
    expect(openapi).toBe('3.1.0')
    expect(Object.keys(documented).sort()).toEqual(['/metrics', ...paths, ...changes].map(templateOf).sort())
  })

  test.each([...paths.map(path => [path, 200] as const), ['/api/v1/nodes/node-z', 404] as const])(
    '%s answers what it promises (%d)',
    async (path, status) => {
      const { app } = await rest()
      const { paths: documented, components } = await document(app)
      const template = templateOf(path)
      const content = documented[template]?.get.responses[String(status)]?.content
      const schema = Object.values(content ?? {})[0]?.schema
      expect(schema).toBeDefined()
      const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
      const validate = ajv.compile({ ...schema, components })
      const answer = await get(app, path)
      expect(answer.statusCode).toBe(status)
      validate(answer.json())
      expect(validate.errors ?? []).toEqual([])
    },
  )
})
