import { expect, test } from 'vitest'
import { formatAddress, nodeName } from '../kernel/units.ts'
import type { TcpProbe } from '../ports/tcp-probe.ts'
import { aSection, anInstance } from '../testing/builders.ts'
import { fakeCluster } from '../testing/fake-cluster.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import { createReachabilityController } from './reachability.ts'

const [a, b] = [nodeName('a'), nodeName('b')]

function lab(probe: TcpProbe) {
  const clock = new VirtualClock()
  const cluster = fakeCluster(clock)
  const handle = cluster.join(a)
  cluster.join(b, { address: { ip: '100.64.0.2', port: 7946 } })
  cluster.receive(aSection(b, [anInstance({ containerId: 'b1' })]))
  const asked: string[] = []
  const log = recordingLog()
  const reachability = createReachabilityController({
    node: a,
    cluster: handle,
    probe: (address, timeoutMs) => {
      asked.push(formatAddress(address))
      return probe(address, timeoutMs)
    },
    clock,
    log,
  })
  return { clock, cluster, reachability, asked, log }
}

test('a member that is missed is probed at once, itself and its instances; when it is back it is forgotten', async () => {
  const { cluster, reachability, asked } = lab(({ port }) => Promise.resolve(port === 7946 ? 'refused' : 'answers'))
  let told = 0
  reachability.onChange(() => told++)
  reachability.start()
  expect(asked).toEqual([])
  cluster.setStatus(b, 'suspect')
  await settle()
  expect(asked).toEqual(['100.64.0.2:7946', '100.64.0.2:18080'])
  expect(reachability.current().get(b)).toEqual({ agent: 'refused', instances: new Map([['b1', 'answers']]) })
  cluster.setStatus(b, 'alive')
  await settle()
  expect(reachability.current().size).toBe(0)
  expect(told).toBeGreaterThan(1)
})

test('what a port says is logged when it changes, not with every probe', async () => {
  const { cluster, reachability, clock, log } = lab(() => Promise.resolve('refused'))
  cluster.setStatus(b, 'dead')
  reachability.start()
  await clock.advanceAsync(30_000, 500)
  expect(log.lines.map(({ message }) => message)).toEqual([
    'the agent of b does not gossip; its port refuses, so its host is up without it',
  ])
})

test('a probe that breaks its promise counts as silence and is reported', async () => {
  const { cluster, reachability, log } = lab(() => Promise.reject(new Error('bug')))
  cluster.setStatus(b, 'dead')
  reachability.start()
  await settle()
  expect(reachability.current().get(b)?.agent).toBe('silent')
  expect(log.lines.some(({ level }) => level === 'warn')).toBe(true)
})

test('after stop nobody is probed any more', async () => {
  const { cluster, reachability, asked, clock } = lab(() => Promise.resolve('refused'))
  reachability.start()
  reachability.stop()
  cluster.setStatus(b, 'dead')
  await clock.advanceAsync(10_000, 500)
  expect(asked).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})
