import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isServiceId } from '../../kernel/units.ts'
import type { Endpoint, RouterWish } from '../registry/index.ts'
import { parseRule } from '../routing/index.ts'
import { readLabels } from './read-labels.ts'
import type { LabelOptions, LabelReading } from './read-labels.ts'

const labelled: LabelOptions = { expose: 'labelled' }
const compose = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' }
const on = { ...compose, 'traefik.enable': 'true' }
const tcp = (containerPort: number, hostPort?: number): Endpoint => ({
  protocol: 'tcp',
  containerPort,
  ...(hostPort === undefined ? {} : { hostIp: '0.0.0.0', hostPort }),
})

function read(
  labels: Record<string, string>,
  options: { name?: string; endpoints?: readonly Endpoint[]; expose?: 'labelled' | 'all' } = {},
): LabelReading {
  const { name = 'shop-web-1', endpoints = [tcp(80)], expose = 'labelled' } = options
  return readLabels({ name, labels, endpoints }, { expose })
}

describe('identity', () => {
  test.each([
    ['compose project and service', compose, 'shop-web-1', 'shop:web', 0],
    ['our own label', { ...compose, 'constellation.service': 'front:site' }, 'x', 'front:site', 0],
    ['our own label without a project', { ...compose, 'constellation.service': 'site' }, 'x', 'site', 0],
    ['our own label when it is nonsense', { ...compose, 'constellation.service': 'a b' }, 'x', 'shop:web', 1],
    ['the container name', {}, 'my_app.1', 'my_app.1', 0],
    ['the container name, made fit', {}, '_my app', 'my-app', 1],
    ['a name with nothing in it', {}, '///', 'unnamed', 1],
    ['the container name when the project is alone', { 'com.docker.compose.project': 'shop' }, 'web', 'web', 0],
    ['compose names that need fitting', { ...compose, 'com.docker.compose.service': '.web' }, 'x', 'shop:web', 1],
  ])('%s', (_, labels, name, service, complaints) => {
    const reading = read(labels, { name })
    expect(reading.service).toBe(service)
    expect(reading.complaints.length).toBe(complaints)
  })
})

describe('exposure', () => {
  test.each([
    [{}, 'labelled', false],
    [{}, 'all', true],
    [{ 'traefik.enable': 'true' }, 'labelled', true],
    [{ 'Traefik.Enable': '1' }, 'labelled', true],
    [{ 'traefik.enable': 'false' }, 'all', false],
    [{ 'constellation.expose': 'T' }, 'labelled', true],
    [{ 'constellation.expose': 'true', 'traefik.enable': 'false' }, 'labelled', true],
    [{ 'constellation.expose': 'false', 'traefik.enable': 'true' }, 'all', false],
    [{ 'traefik.enable': 'yes' }, 'all', false],
  ] as const)('%j with expose %s: %s', (labels, expose, exposed) => {
    expect(read({ ...compose, ...labels }, { expose }).routing !== undefined).toBe(exposed)
  })

  test('a value that is no boolean publishes nothing and is reported', () => {
    expect(read({ ...compose, 'traefik.enable': 'on' }, { expose: 'all' }).complaints).toEqual([
      'label traefik.enable="on" is neither true nor false; taken as false',
    ])
  })

  test('a container that asks for TCP routers only is not offered over HTTP', () => {
    const reading = read({ ...on, 'traefik.tcp.routers.db.rule': 'HostSNI(`*`)' })
    expect(reading.routing).toBeUndefined()
    expect(reading.complaints).toEqual(['it asks for TCP or UDP routers only, and only HTTP is routed'])
  })
})

describe('port', () => {
  const server = 'traefik.http.services.web.loadbalancer.server'
  test.each<[string, Record<string, string>, readonly Endpoint[], number | undefined, number]>([
    ['our own label first', { 'constellation.port': '9', [`${server}.port`]: '8' }, [tcp(7)], 9, 0],
    ["then Traefik's", { [`${server}.port`]: '8' }, [tcp(7)], 8, 0],
    ['then the only TCP port', {}, [tcp(7), { protocol: 'udp', containerPort: 5 }], 7, 0],
    ['the only TCP port, listed for two address families', {}, [tcp(7, 7000), tcp(7, 7000)], 7, 0],
    ['then the lowest published one', {}, [tcp(6), tcp(9, 9000), tcp(8, 9999)], 8, 0],
    ['none among several', {}, [tcp(6), tcp(7)], undefined, 1],
    ['none at all', {}, [], undefined, 1],
    ['a label that is no port is passed over', { 'constellation.port': '0' }, [tcp(7)], 7, 1],
    ['a Traefik label that is no port is passed over', { [`${server}.port`]: '70000' }, [tcp(7)], 7, 1],
  ])('%s', (_, labels, endpoints, port, complaints) => {
    const reading = read({ ...on, ...labels }, { endpoints })
    expect(reading.routing?.port).toBe(port)
    expect(reading.complaints.length).toBe(complaints)
  })

  test('the scheme stands beside the port', () => {
    expect(read({ ...on, [`${server}.port`]: '8443', [`${server}.scheme`]: 'https' }).routing?.scheme).toBe('https')
    expect(read({ ...on, [`${server}.scheme`]: 'h2c' })).toMatchObject({
      routing: { scheme: 'http' },
      complaints: ['scheme "h2c" of traefik service "web" is neither http nor https; ignored'],
    })
  })
})

test.each([
  ['web', 'web'],
  ['Web_Front.2', 'web-front-2'],
  ['x'.repeat(80), 'x'.repeat(63)],
  [`${'x'.repeat(62)}-y`, 'x'.repeat(62)],
])('the host of service %s is %s', (service, host) => {
  expect(read({ ...on, 'com.docker.compose.service': service }).routing?.host).toBe(host)
})

describe('routers', () => {
  const rule = 'Host(`shop.example.org`)'
  const routers = (labels: Record<string, string>): readonly RouterWish[] | undefined =>
    read({ ...on, ...labels }).routing?.routers

  test('carry rule, entry points, priority and middlewares, in order of name', () => {
    expect(
      routers({
        'traefik.http.routers.b.rule': rule,
        'TRAEFIK.HTTP.Routers.A.Rule': ' Path(`/x`) ',
        'traefik.http.routers.a.entryPoints': 'web, websecure',
        'traefik.http.routers.a.priority': '42',
        'traefik.http.routers.a.middlewares': 'auth@file,gzip',
        'traefik.http.routers.a.tls': 'true',
      }),
    ).toEqual([
      {
        name: 'a',
        rule: 'Path(`/x`)',
        entryPoints: ['web', 'websecure'],
        priority: 42,
        middlewares: ['auth@file', 'gzip@docker'],
      },
      { name: 'b', rule },
    ])
  })

  test('that need a middleware defined in labels are told what that means on other nodes', () => {
    const needs = (middlewares: string): readonly string[] =>
      read({ ...on, 'traefik.http.routers.a.rule': rule, 'traefik.http.routers.a.middlewares': middlewares }).complaints
    expect(needs('auth@file')).toEqual([])
    expect(needs('auth')).toEqual([expect.stringContaining('Define it in a file and write name@file')])
  })

  test("without a rule of their own are Traefik's business", () => {
    expect(read({ ...on, 'traefik.http.routers.web.tls': 'true' })).toMatchObject({
      routing: { routers: [] },
      complaints: [],
    })
  })

  test.each<[string, Record<string, string>, string]>([
    ['a rule that is none', { rule: 'Host(shop)' }, 'its rule "Host(shop)" is not valid'],
    ['a rule of Traefik v2', { rule: 'Host(`a`, `b`)' }, 'join several with ||'],
    ['a rule without end', { rule: `Path(\`/${'x'.repeat(2000)}\`)` }, 'longer than 1024 characters'],
    ['a priority that is none', { rule, priority: 'high' }, 'its priority "high" is no number'],
    ['an absurd priority', { rule, priority: '9'.repeat(30) }, 'is no number'],
    ['entry points that are none', { rule, entrypoints: 'web;drop' }, 'its entry points "web;drop" are no list'],
    ['middlewares that are none', { rule, middlewares: 'a b' }, 'its middlewares "a b" are no list'],
    ['a service of another provider', { rule, service: 'api@internal' }, 'belongs to another provider'],
  ])('%s: left out with a reason, the container stays routed', (_, options, reason) => {
    const labels = Object.entries(options).map(([option, value]) => [`traefik.http.routers.web.${option}`, value])
    const reading = read({ ...on, ...Object.fromEntries(labels) })
    expect(reading.routing).toMatchObject({ host: 'web', port: 80, routers: [] })
    expect(reading.complaints.join()).toContain('router "web" is left out')
    expect(reading.complaints.join()).toContain(reason)
  })

  test('with an @ in their name are left out: it divides name and provider', () => {
    const reading = read({ ...on, 'traefik.http.routers.web@docker.rule': rule })
    expect(reading.routing?.routers).toEqual([])
    expect(reading.complaints[0]).toContain('router "web@docker" is left out')
  })

  test('to another port of the container are left out, since one port per container is routed', () => {
    const reading = read({
      ...on,
      'traefik.http.routers.admin.rule': rule,
      'traefik.http.routers.admin.service': 'admin',
      'traefik.http.services.admin.loadbalancer.server.port': '9000',
      'traefik.http.services.web.loadbalancer.server.port': '80',
      'constellation.port': '80',
    })
    expect(reading.routing).toMatchObject({ port: 80, routers: [] })
    expect(reading.complaints[0]).toContain('its service "admin" is on port 9000')
  })

  test('are at most 16, and complaints are bounded, too', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`traefik.http.routers.r${n}.rule`, n % 2 === 0 ? rule : 'nonsense']),
    )
    const reading = read({ ...on, ...many })
    expect(reading.routing?.routers.length).toBe(16)
    expect(reading.complaints.length).toBeLessThanOrEqual(16)
  })
})

test('a one-off container of compose shares the name of its service and is never routed', () => {
  const labels = {
    'com.docker.compose.project': 'shop',
    'com.docker.compose.service': 'web',
    'com.docker.compose.oneoff': 'True',
    'traefik.enable': 'true',
  }
  const endpoints = [{ protocol: 'tcp', containerPort: 80 }] as const
  expect(readLabels({ name: 'shop-web-run-1', labels, endpoints }, { expose: 'all' }).routing).toBeUndefined()
})

test('the network of traefik.docker.network is carried', () => {
  expect(read({ ...on, 'traefik.docker.network': 'edge' }).routing?.network).toBe('edge')
  expect(read(on).routing).not.toHaveProperty('network')
})

test.each([
  [{ 'deunhealth.restart.on.unhealthy': 'true' }, true],
  [{ 'deunhealth.restart.on.unhealthy': 'True' }, false],
  [{ 'Deunhealth.Restart.On.Unhealthy': 'true' }, false],
  [{}, false],
])('restart on unhealthy with %j: %s', (labels, restart) => {
  expect(read(labels).restartOnUnhealthy).toBe(restart)
})

test('any labels give a valid reading of bounded size', () => {
  const key = fc.oneof(
    fc.constantFrom('traefik.enable', 'constellation.expose', 'constellation.port', 'constellation.service'),
    fc.constantFrom('com.docker.compose.project', 'com.docker.compose.service', 'traefik.docker.network'),
    fc.stringMatching(
      /^traefik\.http\.(routers|services)\.[a-z@]{0,3}\.(rule|priority|entrypoints|middlewares|service)$/,
    ),
    fc.string(),
  )
  const value = fc.oneof(fc.constantFrom('true', '80', 'Host(`a`)', 'web'), fc.string({ maxLength: 2000 }))
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 40 }), fc.string(), (labels, name) => {
      const reading = readLabels({ name, labels, endpoints: [] }, { expose: 'all' })
      expect(isServiceId(reading.service)).toBe(true)
      expect(reading.routing?.routers.every(({ rule }) => parseRule(rule).ok) ?? true).toBe(true)
      expect(JSON.stringify(reading).length).toBeLessThan(64_000)
    }),
    { numRuns: 300 },
  )
  expect(readLabels({ name: 'x', labels: {}, endpoints: [] }, labelled).routing).toBeUndefined()
})
