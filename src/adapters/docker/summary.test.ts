import { expect, test } from 'vitest'
import { summaryOf } from './summary.ts'

function aRow(over: object = {}): object {
  return {
    Id: 'aaa',
    Names: ['/web'],
    State: 'running',
    Status: 'Up 3 minutes (healthy)',
    Ports: [
      { PrivatePort: 9, Type: 'udp' },
      { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8088, Type: 'tcp' },
    ],
    NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2', GlobalIPv6Address: '', EndpointID: '778c' } } },
    ...over,
  }
}

test.each([
  { change: { State: 'paused' }, what: 'the state' },
  { change: { Status: 'Up 3 minutes (unhealthy)' }, what: 'the health' },
  { change: { Status: 'Up 2 seconds (healthy)' }, what: 'the start' },
  { change: { Status: 'Exited (137) 3 minutes ago', State: 'exited' }, what: 'the exit code' },
  { change: { Names: ['/other'] }, what: 'the name' },
  { change: { Ports: [] }, what: 'the ports' },
  { change: { NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.3' } } } }, what: 'an address' },
])('the fingerprint changes with $what', ({ change }) => {
  expect(summaryOf(aRow(change))?.fingerprint).not.toBe(summaryOf(aRow())?.fingerprint)
})

test('the fingerprint does not change with the order of ports, which the engine draws anew each time', () => {
  const Ports = [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8088, Type: 'tcp' },
    { PrivatePort: 9, Type: 'udp' },
  ]
  expect(summaryOf(aRow({ Ports }))).toEqual(summaryOf(aRow()))
})

test.each([
  { Status: 'Up 3 minutes (healthy)', isSettled: true },
  { Status: 'Up 3 minutes', isSettled: true },
  { Status: 'Up 3 minutes (unhealthy)', isSettled: false },
  { Status: 'Up 3 seconds (health: starting)', isSettled: false },
])('$Status is settled: $isSettled', ({ Status, isSettled }) => {
  expect(summaryOf(aRow({ Status }))?.isSettled).toBe(isSettled)
})

test.each([undefined, 'text', {}, { Id: '' }])('%j is no row', row => {
  expect(summaryOf(row)).toBeUndefined()
})

test('a row with nothing but an id is one', () => {
  expect(summaryOf({ Id: 'aaa' })?.id).toBe('aaa')
})
