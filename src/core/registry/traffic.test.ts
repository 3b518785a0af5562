import { expect, test } from 'vitest'
import { anInstance } from '../../testing/builders.ts'
import type { Instance } from './record.ts'
import { judgeTraffic } from './traffic.ts'
import type { Situation } from './traffic.ts'
import type { ProbeVerdict, Reachability, Traffic } from './view.ts'

const elsewhere: Situation = { own: false, status: 'alive', agent: 'up', meshIp: '100.64.0.2' }
const published = anInstance()
const proxyOnly = anInstance({ endpoints: [{ protocol: 'tcp', containerPort: 80 }] })

function found(agent: ProbeVerdict, instance?: ProbeVerdict): Reachability {
  return { agent, instances: new Map(instance === undefined ? [] : [[published.containerId, instance]]) }
}

test.each<[Instance['state'], string | undefined, string]>([
  ['unhealthy', 'its check fails', 'unhealthy: its check fails'],
  ['starting', undefined, 'starting'],
  ['stopped', 'exited with code 1', 'stopped: exited with code 1'],
])('%s receives nothing, wherever it runs', (state, reason, words) => {
  const instance = anInstance({ state, ...(reason === undefined ? {} : { reason }) })
  for (const own of [true, false])
    expect(judgeTraffic(instance, { ...elsewhere, own })).toEqual({ traffic: 'no', trafficReason: words })
})

test.each(['alive', 'suspect', 'dead'] as const)(
  'our own healthy instance is used although others call us %s',
  status => {
    expect(judgeTraffic(proxyOnly, { ...elsewhere, own: true, status }).traffic).toBe('yes')
  },
)

const cases: readonly [Situation['status'], Reachability | undefined, Instance, Traffic, string][] = [
  ['alive', undefined, published, 'yes', 'healthy'],
  ['alive', found('silent'), published, 'yes', 'healthy'],
  ['left', found('refused', 'answers'), published, 'no', 'its node has left the cluster'],

  ['suspect', undefined, published, 'lastResort', 'its node is suspected'],
  ['suspect', found('silent'), published, 'lastResort', 'its node is suspected'],
  ['suspect', found('silent', 'answers'), published, 'lastResort', 'its node is suspected'],
  [
    'suspect',
    found('refused'),
    published,
    'lastResort',
    'its node is suspected, and the instance has not been probed yet',
  ],
  [
    'suspect',
    found('refused', 'answers'),
    published,
    'yes',
    'its agent is down, but the instance answers our own probe',
  ],
  [
    'suspect',
    found('answers', 'answers'),
    published,
    'yes',
    'its agent is down, but the instance answers our own probe',
  ],
  [
    'suspect',
    found('refused', 'refused'),
    published,
    'no',
    'its agent is down and the instance does not answer our own probe (refused)',
  ],
  [
    'suspect',
    found('refused'),
    proxyOnly,
    'no',
    'its agent is down and its proxy with it; no port of the instance is published for other nodes',
  ],
  [
    'suspect',
    found('answers'),
    proxyOnly,
    'lastResort',
    'its node is suspected, and only its own proxy could reach it',
  ],

  ['dead', undefined, published, 'no', 'its node is dead'],
  ['dead', found('silent'), published, 'no', 'its node is dead'],
  ['dead', found('silent', 'answers'), published, 'no', 'its node is dead'],
  ['dead', found('refused'), published, 'no', 'its node is dead, and the instance has not been probed yet'],
  ['dead', found('refused', 'answers'), published, 'yes', 'its agent is down, but the instance answers our own probe'],
  [
    'dead',
    found('refused', 'silent'),
    published,
    'no',
    'its agent is down and the instance does not answer our own probe (silent)',
  ],
  ['dead', found('answers'), proxyOnly, 'no', 'its node is dead, and only its own proxy could reach it'],
]

test.each(cases)('%s node, found %j, instance %#: %s', (status, reachability, instance, traffic, trafficReason) => {
  const agent = status === 'alive' ? 'up' : status === 'left' ? 'left' : 'agentDown'
  const situation = { ...elsewhere, status, agent, ...(reachability === undefined ? {} : { reachability }) } as const
  expect(judgeTraffic(instance, situation)).toEqual({ traffic, trafficReason })
})

test('a restart that was announced follows the same rules and is named as such', () => {
  const restarting = { ...elsewhere, status: 'dead', agent: 'restarting' } as const
  expect(judgeTraffic(published, { ...restarting, reachability: found('refused', 'answers') })).toEqual({
    traffic: 'yes',
    trafficReason: 'its agent is restarting, but the instance answers our own probe',
  })
  expect(judgeTraffic(published, { ...restarting, status: 'suspect' })).toEqual({
    traffic: 'lastResort',
    trafficReason: 'its node is suspected: its agent is restarting',
  })
})
