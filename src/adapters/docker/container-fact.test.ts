import { describe, expect, test } from 'vitest'
import { containerFact } from './container-fact.ts'

/** The parts of an inspect answer of Docker 20.10.24 that we read, and some that must not be. */
function anInspected(over: { state?: object; config?: object; settings?: object; hostConfig?: object } = {}) {
  return {
    Id: '53fa9ecb8f52',
    Name: '/shop-web-1',
    Image: 'sha256:111403cf7b4c',
    State: {
      Status: 'running',
      Running: true,
      ExitCode: 0,
      StartedAt: '2026-11-21T02:06:47.132884782Z',
      FinishedAt: '0001-01-01T00:00:00Z',
      Health: { Status: 'healthy', FailingStreak: 0, Log: [{ ExitCode: 0, Output: '' }] },
      ...over.state,
    },
    Config: {
      Image: 'web:1',
      ExposedPorts: { '80/tcp': {} },
      Labels: { 'com.docker.compose.service': 'web' },
      ...over.config,
    },
    HostConfig: { NetworkMode: 'shop_default', ...over.hostConfig },
    NetworkSettings: {
      IPAddress: '172.17.0.9',
      Ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8088' }] },
      Networks: { shop_default: { IPAddress: '172.18.0.2', GlobalIPv6Address: '' } },
      ...over.settings,
    },
  }
}

test('a running container, whole', () => {
  expect(containerFact(anInspected())).toEqual({
    id: '53fa9ecb8f52',
    name: 'shop-web-1',
    image: 'web:1',
    labels: { 'com.docker.compose.service': 'web' },
    state: 'running',
    health: 'healthy',
    failingStreak: 0,
    startedAtWallMs: Date.UTC(2026, 10, 21, 2, 6, 47, 132),
    endpoints: [{ protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 8088 }],
    networks: [{ network: 'shop_default', ip: '172.18.0.2' }],
  })
})

describe('state', () => {
  test('a paused container is paused, though Docker also calls it running', () => {
    expect(containerFact(anInspected({ state: { Status: 'paused', Running: true } }))?.state).toBe('paused')
  })

  test.each([
    { running: true, state: 'running' },
    { running: false, state: 'exited' },
  ])('a status nobody knows falls back to Running: $running', ({ running, state }) => {
    expect(containerFact(anInspected({ state: { Status: 'hovering', Running: running } }))?.state).toBe(state)
  })

  test.each([
    { status: 'exited', exitCode: 137 },
    { status: 'restarting', exitCode: 137 },
    { status: 'running', exitCode: undefined },
    { status: 'created', exitCode: undefined },
  ])('the exit code of a container that is $status is $exitCode', ({ status, exitCode }) => {
    expect(containerFact(anInspected({ state: { Status: status, ExitCode: 137 } }))?.exitCode).toBe(exitCode)
  })

  test('a container that never ran has no start', () => {
    const fact = containerFact(anInspected({ state: { Status: 'created', StartedAt: '0001-01-01T00:00:00Z' } }))
    expect(fact).not.toHaveProperty('startedAtWallMs')
  })
})

describe('health', () => {
  test.each([
    { health: undefined, why: 'no check is defined' },
    { health: { Status: 'none', FailingStreak: 0 }, why: 'the check was switched off' },
    { health: { Status: '' }, why: 'the check has not been set up yet' },
  ])('none when $why', ({ health }) => {
    expect(containerFact(anInspected({ state: { Health: health } }))).toMatchObject({
      health: 'none',
      failingStreak: 0,
    })
  })

  test('a failing streak is passed on', () => {
    const fact = containerFact(anInspected({ state: { Health: { Status: 'unhealthy', FailingStreak: 7 } } }))
    expect(fact).toMatchObject({ health: 'unhealthy', failingStreak: 7 })
  })
})

describe('endpoints', () => {
  const published = (ports: object) => containerFact(anInspected({ settings: { Ports: ports } }))?.endpoints

  test('a port published on every address is listed once, not once per address family', () => {
    const bindings = [
      { HostIp: '0.0.0.0', HostPort: '8088' },
      { HostIp: '::', HostPort: '8088' },
    ]
    expect(published({ '80/tcp': bindings })).toEqual([
      { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8088 },
    ])
  })

  test('a family with a port of its own is kept', () => {
    const bindings = [
      { HostIp: '0.0.0.0', HostPort: '49153' },
      { HostIp: '::', HostPort: '49154' },
    ]
    expect(published({ '80/tcp': bindings })?.map(endpoint => endpoint.hostPort)).toEqual([49153, 49154])
  })

  test('several bindings of one port are several endpoints, in a fixed order', () => {
    const bindings = [
      { HostIp: '127.0.0.1', HostPort: '9000' },
      { HostIp: '100.64.0.7', HostPort: '8000' },
    ]
    const endpoints = [
      { protocol: 'tcp', containerPort: 80, hostIp: '100.64.0.7', hostPort: 8000 },
      { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 9000 },
    ]
    expect(published({ '80/tcp': bindings })).toEqual(endpoints)
    expect(published({ '80/tcp': bindings.reverse() })).toEqual(endpoints)
  })

  test('an empty host address means every address', () => {
    expect(published({ '80/tcp': [{ HostIp: '', HostPort: '8088' }] })?.[0]?.hostIp).toBe('0.0.0.0')
  })

  test('exposed ports that are not published are endpoints without a host port', () => {
    const fact = containerFact(
      anInspected({
        config: { ExposedPorts: { '9000/udp': {}, '80/tcp': {} } },
        settings: { Ports: { '80/tcp': null } },
      }),
    )
    expect(fact?.endpoints).toEqual([
      { protocol: 'tcp', containerPort: 80 },
      { protocol: 'udp', containerPort: 9000 },
    ])
  })

  test('in the node’s own network an exposed port is reachable as it is', () => {
    const fact = containerFact(
      anInspected({ hostConfig: { NetworkMode: 'host' }, settings: { Ports: {}, Networks: {} } }),
    )
    expect(fact?.endpoints).toEqual([{ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 80 }])
  })

  test('protocols and ports we cannot route are left out', () => {
    expect(published({ '80/tcp': [], '132/sctp': [], 'x/tcp': [], '70000/tcp': [], '80': [] })).toEqual([
      { protocol: 'tcp', containerPort: 80 },
    ])
  })
})

describe('networks', () => {
  const attached = (networks: object) => containerFact(anInspected({ settings: { Networks: networks } }))?.networks

  test('every network with an address, by name; the address at the top is ignored', () => {
    expect(attached({ web: { IPAddress: '172.19.0.3' }, backend: { IPAddress: '172.18.0.4' } })).toEqual([
      { network: 'backend', ip: '172.18.0.4' },
      { network: 'web', ip: '172.19.0.3' },
    ])
  })

  test('a network of IPv6 alone gives that address', () => {
    expect(attached({ six: { IPAddress: '', GlobalIPv6Address: 'fd00::2' } })).toEqual([
      { network: 'six', ip: 'fd00::2' },
    ])
  })

  test('an attachment without an address is left out', () => {
    expect(attached({ host: { IPAddress: '' }, odd: null })).toEqual([])
  })
})

describe('what an engine may leave out', () => {
  test('a document with nothing but an id is still a container', () => {
    expect(containerFact({ Id: 'lonely' })).toEqual({
      id: 'lonely',
      name: '',
      image: '',
      labels: {},
      state: 'exited',
      health: 'none',
      failingStreak: 0,
      endpoints: [],
      networks: [],
    })
  })

  test.each([{ labels: null }, { labels: undefined }, { labels: ['a'] }, { labels: { n: 1 } }])(
    'labels $labels are no labels',
    ({ labels }) => {
      expect(containerFact(anInspected({ config: { Labels: labels } }))?.labels).toEqual({})
    },
  )

  test.each([undefined, null, [], 'text', {}, { Id: 7 }])('%j is no container', document => {
    expect(containerFact(document)).toBeUndefined()
  })
})
