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

interface Case {
  /** Completes the title. */
  readonly when: string
  readonly status: Situation['status']
  readonly reachability?: Reachability
  readonly instance?: Instance
  readonly traffic: Traffic
  readonly reason: string
}

const proven = 'but the instance answers our own probe'
const unproven = 'and the instance does not answer our own probe'
const unreachable = 'no port of the instance is published for other nodes'

const cases: readonly Case[] = [
  { when: 'alive', status: 'alive', traffic: 'yes', reason: 'healthy' },
  { when: 'alive, agent silent', status: 'alive', reachability: found('silent'), traffic: 'yes', reason: 'healthy' },
  {
    when: 'left, instance answers',
    status: 'left',
    reachability: found('refused', 'answers'),
    traffic: 'no',
    reason: 'its node has left the cluster',
  },

  { when: 'suspect, nothing found out', status: 'suspect', traffic: 'lastResort', reason: 'its node is suspected' },
  {
    when: 'suspect, agent silent',
    status: 'suspect',
    reachability: found('silent'),
    traffic: 'lastResort',
    reason: 'its node is suspected',
  },
  {
    when: 'suspect, agent silent, instance answers',
    status: 'suspect',
    reachability: found('silent', 'answers'),
    traffic: 'lastResort',
    reason: 'its node is suspected',
  },
  {
    when: 'suspect, agent refuses, instance not probed',
    status: 'suspect',
    reachability: found('refused'),
    traffic: 'lastResort',
    reason: 'its node is suspected, and the instance has not been probed yet',
  },
  {
    when: 'suspect, agent refuses, instance answers',
    status: 'suspect',
    reachability: found('refused', 'answers'),
    traffic: 'yes',
    reason: `its agent is down, ${proven}`,
  },
  {
    when: 'suspect, agent answers TCP, instance answers',
    status: 'suspect',
    reachability: found('answers', 'answers'),
    traffic: 'yes',
    reason: `gossip does not reach its agent (it answers TCP), ${proven}`,
  },
  {
    when: 'suspect, agent answers TCP, instance refuses',
    status: 'suspect',
    reachability: found('answers', 'refused'),
    traffic: 'no',
    reason: `gossip does not reach its agent (it answers TCP) ${unproven} (refused)`,
  },
  {
    when: 'suspect, agent and instance refuse',
    status: 'suspect',
    reachability: found('refused', 'refused'),
    traffic: 'no',
    reason: `its agent is down ${unproven} (refused)`,
  },
  {
    when: 'suspect, agent refuses, instance behind its proxy',
    status: 'suspect',
    reachability: found('refused'),
    instance: proxyOnly,
    traffic: 'no',
    reason: `its agent is down and its proxy with it; ${unreachable}`,
  },
  {
    when: 'suspect, agent answers TCP, instance behind its proxy',
    status: 'suspect',
    reachability: found('answers'),
    instance: proxyOnly,
    traffic: 'lastResort',
    reason: 'its node is suspected, and only its own proxy could reach it',
  },

  { when: 'dead, nothing found out', status: 'dead', traffic: 'no', reason: 'its node is dead' },
  {
    when: 'dead, agent silent',
    status: 'dead',
    reachability: found('silent'),
    traffic: 'no',
    reason: 'its node is dead',
  },
  {
    when: 'dead, agent silent, instance answers',
    status: 'dead',
    reachability: found('silent', 'answers'),
    traffic: 'no',
    reason: 'its node is dead',
  },
  {
    when: 'dead, agent refuses, instance not probed',
    status: 'dead',
    reachability: found('refused'),
    traffic: 'no',
    reason: 'its node is dead, and the instance has not been probed yet',
  },
  {
    when: 'dead, agent refuses, instance answers',
    status: 'dead',
    reachability: found('refused', 'answers'),
    traffic: 'yes',
    reason: `its agent is down, ${proven}`,
  },
  {
    when: 'dead, agent refuses, instance silent',
    status: 'dead',
    reachability: found('refused', 'silent'),
    traffic: 'no',
    reason: `its agent is down ${unproven} (silent)`,
  },
  {
    when: 'dead, agent answers TCP, instance behind its proxy',
    status: 'dead',
    reachability: found('answers'),
    instance: proxyOnly,
    traffic: 'no',
    reason: 'its node is dead, and only its own proxy could reach it',
  },
]

test.each(cases.map(one => [one.when, one.traffic, one] as const))(
  '%s: %s',
  (_when, _traffic, { status, reachability, instance = published, traffic, reason }) => {
    const agent = status === 'alive' ? 'up' : status === 'left' ? 'left' : 'agentDown'
    const situation = { ...elsewhere, status, agent, ...(reachability === undefined ? {} : { reachability }) } as const
    expect(judgeTraffic(instance, situation)).toEqual({ traffic, trafficReason: reason })
  },
)

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
