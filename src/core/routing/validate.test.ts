import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRelease } from './field-table.ts'
import { validateTraefikDocument } from './validate.ts'

interface DecodeCase {
  readonly name: string
  readonly body: string
  readonly decodes: boolean
  readonly reason?: string
  readonly effect?: string
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../../test/data/traefik/traefik-decode-cases.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly DecodeCase[] }

describe('judges as the decoder of Traefik was seen to', () => {
  test('there are 29 cases', () => expect(cases.length).toBe(29))

  test.each(cases)('$name', ({ body, decodes, reason, effect }) => {
    const verdict = validateTraefikDocument(body)
    expect(verdict.decodes).toBe(decodes)
    if (!decodes) expect(verdict.problems.map(problem => problem.reason)).toContain(reason)
    if (effect === 'every route of this provider is removed') expect(verdict.effect).toBe('removesAllRoutes')
  })
})

const router = { rule: 'Host(`a.example.org`)', service: 'a' }
const service = { loadBalancer: { servers: [{ url: 'http://10.0.0.9:80' }] } }
const good = { http: { routers: { a: router }, services: { a: service } } }

function judge(document: unknown, version = '3.0') {
  const release = parseRelease(version)
  return validateTraefikDocument(JSON.stringify(document), release === undefined ? {} : { release })
}

test('a document with a router and its service may be served', () => {
  expect(judge(good)).toEqual({ ok: true, decodes: true, problems: [] })
})

test('a document that would take every route away is never ok, although it decodes', () => {
  for (const body of ['', ' \n', '{}', 'null', '{"routers":{}}', '{"http":{"services":{"a":{}}}}'])
    expect(validateTraefikDocument(body)).toMatchObject({ ok: false, decodes: true, effect: 'removesAllRoutes' })
})

test.each([
  ['strategy', '3.3.9', '3.4.0'],
  ['passiveHealthCheck', '3.5.9', '3.6.0'],
])('the field loadBalancer.%s is unknown in %s and known in %s', (field, before, since) => {
  const value = field === 'strategy' ? 'wrr' : { failureWindow: '10s' }
  const document = {
    http: { ...good.http, services: { a: { loadBalancer: { ...service.loadBalancer, [field]: value } } } },
  }
  expect(judge(document, before).problems).toMatchObject([
    {
      path: `http.services.a.loadBalancer.${field}`,
      reason: 'unknown-field',
      detail: `Traefik knows it since ${since}`,
    },
  ])
  expect(judge(document, since)).toMatchObject({ ok: true })
})

test.each([
  [{ passHostHeader: 'true' }, true],
  [{ passHostHeader: 'T' }, true],
  [{ passHostHeader: 'yes' }, false],
  [{ healthCheck: { path: '/', port: '8080' } }, true],
  [{ healthCheck: { path: '/', port: 80.5 } }, false],
  [{ healthCheck: { path: '/', interval: '1m30s' } }, true],
  [{ healthCheck: { path: '/', interval: '500ms' } }, true],
  [{ healthCheck: { path: '/', interval: 30 } }, true],
  [{ healthCheck: { path: '/', interval: '30' } }, true],
  [{ healthCheck: { path: '/', interval: '30 s' } }, false],
  [{ healthCheck: { path: '/', interval: '1d' } }, false],
  [{ servers: 'http://10.0.0.9:80' }, false],
  [{ servers: [null] }, false],
  [{ sticky: true }, true],
  [{ healthCheck: true }, false],
  [{ healthCheck: { path: null } }, false],
])('a load balancer with %j decodes: %s', (fields, decodes) => {
  const document = { http: { ...good.http, services: { a: { loadBalancer: { ...service.loadBalancer, ...fields } } } } }
  expect(judge(document).decodes).toBe(decodes)
})

test.each([
  [{ routers: { a: { ...router, service: 'b' } } }, 'http.routers.a.service', 'missing-reference'],
  [{ routers: { a: { rule: router.rule } } }, 'http.routers.a', 'missing-reference'],
  [{ routers: { a: { ...router, middlewares: ['auth'] } } }, 'http.routers.a.middlewares', 'missing-reference'],
  [{ routers: { a: { ...router, rule: 'Host(a)' } } }, 'http.routers.a.rule', 'bad-rule'],
  [{ routers: { a: { service: 'a' } } }, 'http.routers.a.rule', 'bad-rule'],
  [{ routers: { 'a@b': router } }, 'http.routers.a@b', 'bad-name'],
  [{ services: { a: {} } }, 'http.services.a', 'bad-kind'],
  [{ services: { a: { ...service, weighted: { services: [{ name: 'x' }] } } } }, 'http.services.a', 'bad-kind'],
  [{ services: { a: { failover: { service: 'x', fallback: 'y' } } } }, 'http.services.a.failover', 'missing-reference'],
  [
    { services: { a: { loadBalancer: { servers: [], serversTransport: 'mesh' } } } },
    'http.services.a.loadBalancer.serversTransport',
    'missing-reference',
  ],
])('a document whose parts do not fit decodes but is not served: %j', (part, path, reason) => {
  const verdict = judge({ http: { ...good.http, ...part } })
  expect(verdict).toMatchObject({ ok: false, decodes: true })
  expect(verdict.problems).toContainEqual(expect.objectContaining({ path, reason }))
})

test.each([
  '10.0.0.9:80',
  'http://',
  'http://10.0.0.9:0',
  'http://10.0.0.9:99999',
  'http://a b',
  'tcp://10.0.0.9:80',
  '',
])('the server URL %j leads nowhere', url => {
  const services = { a: { loadBalancer: { servers: [{ url }] } } }
  expect(judge({ http: { ...good.http, services } }).problems).toMatchObject([
    { path: 'http.services.a.loadBalancer.servers', reason: 'bad-address' },
  ])
})

test('names of other providers are taken on trust', () => {
  const routers = { a: { ...router, service: 'noop@internal', middlewares: ['auth@file'] } }
  expect(judge({ http: { ...good.http, routers } })).toMatchObject({ ok: true })
})

test('the default TLS options and store are left to the user', () => {
  expect(judge({ ...good, tls: { options: { default: { minVersion: 'VersionTLS12' } } } }).problems).toMatchObject([
    { path: 'tls.options.default', reason: 'reserved-name' },
  ])
})

test('fields in another letter case are the same field, and twice is once too often', () => {
  const body = '{"http":{"routers":{"a":{"Rule":"Host(`a`)","rule":"Host(`b`)","service":"a"}}}}'
  expect(validateTraefikDocument(body)).toMatchObject({ decodes: false, problems: [{ reason: 'syntax' }] })
})

test('text that is no document gets a verdict, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map(value => JSON.stringify({ http: value })),
      ),
      body => {
        const verdict = validateTraefikDocument(body)
        return verdict.ok ? verdict.problems.length === 0 : verdict.problems.length > 0 || verdict.effect !== undefined
      },
    ),
    { numRuns: 500 },
  )
})
