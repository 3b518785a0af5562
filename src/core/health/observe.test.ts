import { expect, test } from 'vitest'
import type { Endpoint } from '../registry/index.ts'
import { aContainer } from '../../testing/builders.ts'
import { serviceId } from '../../kernel/units.ts'
import { endpointsMax, findingOf, instanceOf, toldFailures } from './observe.ts'
import type { Standing } from './observe.ts'

const labels = { service: serviceId('shop:web'), restartOnUnhealthy: false, complaints: [] }
const standing: Standing = {
  finding: { state: 'healthy' },
  sinceWallMs: 5,
  consecutiveFailures: 0,
  restartGivenUp: false,
}

test.each([
  ['running', 'none', 'healthy', undefined],
  ['running', 'healthy', 'healthy', undefined],
  ['running', 'starting', 'starting', 'its check has not passed yet'],
  ['running', 'unhealthy', 'unhealthy', 'its check fails'],
  ['paused', 'healthy', 'stopped', 'paused'],
  ['created', 'none', 'stopped', 'created, never started'],
  ['restarting', 'none', 'stopped', 'the engine starts it again'],
  ['restarting', 'healthy', 'stopped', 'the engine starts it again'],
  ['removing', 'healthy', 'stopped', 'being removed'],
  ['exited', 'unhealthy', 'stopped', 'exited'],
  ['dead', 'none', 'stopped', 'dead: the engine failed to remove it'],
] as const)('%s with check %s is %s', (state, health, expected, reason) => {
  const finding = findingOf(aContainer({ state, health }))
  expect(finding.state).toBe(expected)
  expect(finding.reason).toBe(reason)
})

test('the exit code is part of the reason', () => {
  expect(findingOf(aContainer({ state: 'exited', exitCode: 137 })).reason).toBe('exited with code 137')
})

test('facts in another order give the same bytes', () => {
  const endpoints: Endpoint[] = [
    { protocol: 'udp', containerPort: 53 },
    { protocol: 'tcp', containerPort: 80, hostIp: '::', hostPort: 8080 },
    { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 },
    { protocol: 'tcp', containerPort: 53 },
  ]
  const networks = [
    { network: 'b', ip: '10.0.0.2' },
    { network: 'a', ip: '10.1.0.2' },
  ]
  const one = instanceOf(aContainer({ endpoints, networks }), labels, standing)
  const other = instanceOf(
    aContainer({ endpoints: endpoints.toReversed(), networks: networks.toReversed() }),
    labels,
    standing,
  )
  expect(JSON.stringify(other)).toBe(JSON.stringify(one))
})

test('a container that publishes a range of ports keeps the routed one and says that it was cut', () => {
  const endpoints = Array.from({ length: 5_000 }, (_, i) => ({ protocol: 'tcp' as const, containerPort: 1_000 + i }))
  const routing = { host: 'web', port: 5_500, scheme: 'http' as const, routers: [] }
  const instance = instanceOf(aContainer({ endpoints }), { ...labels, routing }, standing)
  expect(instance.endpoints.length).toBe(endpointsMax)
  expect(instance.endpoints).toContainEqual({ protocol: 'tcp', containerPort: 5_500 })
  expect(instance.complaints).toEqual(['it has 5000 ports; only 64 of them are told to the cluster'])
})

test('a container without a name goes by its id, and endless text is cut', () => {
  const instance = instanceOf(aContainer({ id: 'abc', name: '', image: 'x'.repeat(10_000) }), labels, standing)
  expect(instance.containerName).toBe('abc')
  expect(instance.image.length).toBe(256)
})

test('failures are told with a change of state and then at powers of two', () => {
  const told: number[] = []
  let last = { state: 'healthy' as 'healthy' | 'unhealthy', consecutiveFailures: 0 }
  for (let streak = 3; streak <= 40; streak++) {
    const failures = toldFailures('unhealthy', streak, last)
    if (failures !== last.consecutiveFailures) told.push(failures)
    last = { state: 'unhealthy', consecutiveFailures: failures }
  }
  expect(told).toEqual([3, 4, 8, 16, 32])
})

test.each([
  ['healthy', 2, 0],
  ['unhealthy', 0, 0],
  ['unhealthy', -1, 0],
  ['unhealthy', Number.NaN, 0],
  ['unhealthy', 2.5, 2],
] as const)('%s with a streak of %d tells %i failures', (state, streak, expected) => {
  expect(toldFailures(state, streak, undefined)).toBe(expected)
})

test('a streak that began anew is told', () => {
  expect(toldFailures('unhealthy', 1, { state: 'unhealthy', consecutiveFailures: 8 })).toBe(1)
})
