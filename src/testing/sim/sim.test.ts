/** Clocks, processes and the network, each by itself: what a simulation is built on must not be doubted. */
import { expect, test } from 'vitest'
import type { Address } from '../../kernel/units.ts'
import { authoritiesOf } from './authority.ts'
import { createSimClock } from './clock.ts'
import { createSimNetwork } from './network.ts'
import type { NetworkFaults, NetworkSettings } from './network.ts'
import { createSimProcess } from './process.ts'
import { createSimTime } from './time.ts'

test.each([-10_000, -1, 0, 1, 10_000])('on a clock %i ppm off no timer fires before its time, or a tick late', ppm => {
  const time = createSimTime()
  const clock = createSimClock(time, ppm, 12_345)
  const late: number[] = []
  for (let deadline = 12_345; deadline < 22_345; deadline += 7)
    clock.at(deadline, () => late.push(clock.now() - deadline))
  time.run(20_000)
  expect(late).toHaveLength(1_429)
  expect([Math.min(...late) >= 0, Math.max(...late) <= 1]).toEqual([true, true])
})

test('a wall clock jumps, monotonic time does not', () => {
  const time = createSimTime()
  const clock = createSimClock(time, 10_000)
  time.run(1_000)
  const before = clock.wallNow()
  clock.jumpWall(-3_600_000)
  expect([clock.now(), clock.wallNow() - before]).toEqual([1_010, -3_600_000])
})

test('one authority draws the same, however often another did', () => {
  const alone = authoritiesOf(7)
  const busy = authoritiesOf(7)
  for (let i = 0; i < 100; i++) busy('network').next()
  expect(busy('faults').next()).toBe(alone('faults').next())
  expect(alone('faults').next()).not.toBe(alone('network').next())
})

test('a paused process is caught up with, timers first; a dead one never', () => {
  const time = createSimTime()
  const process = createSimProcess(createSimClock(time))
  const heard: string[] = []
  process.clock.at(10, () => heard.push('timer'))
  const disarm = process.clock.at(11, () => heard.push('disarmed'))
  process.pause()
  process.enter(() => heard.push('input'))
  time.run(20)
  disarm()
  expect(heard).toEqual([])
  process.resume()
  expect(heard).toEqual(['timer', 'input'])
  process.clock.at(30, () => heard.push('never'))
  process.kill()
  process.enter(() => heard.push('never'))
  time.run(20)
  expect(heard).toEqual(['timer', 'input'])
})

const [here, there]: readonly [Address, Address] = [
  { ip: '10.0.0.1', port: 1 },
  { ip: '10.0.0.2', port: 2 },
]

function wire(faults: Partial<NetworkFaults> = {}, settings: NetworkSettings = {}) {
  const time = createSimTime()
  const network = createSimNetwork(
    time,
    authoritiesOf(1)('network'),
    { latencyMs: [1, 9], loss: 0, ...faults },
    settings,
  )
  const heard: string[] = []
  const handlersOf = (who: string) => ({
    onPacket: (_from: Address, bytes: Uint8Array) => heard.push(`${who} ${bytes.join('.')}`),
    onUndeliverable: () => undefined,
    onAccepted: (stream: string) => heard.push(`${who} accepted ${stream}`),
    onConnected: (stream: string) => heard.push(`${who} connected ${stream}`),
    onData: (stream: string, bytes: Uint8Array) => heard.push(`${who} ${stream} ${bytes.length}`),
    onClosed: (stream: string, reason = 'end') => heard.push(`${who} closed ${stream} ${reason}`),
  })
  const near = network.attach(here, handlersOf('near'))
  const far = network.attach(there, handlersOf('far'))
  return { time, network, near, far, heard }
}

test.each<[string, Partial<NetworkFaults>, number]>([
  ['none are lost', {}, 1_000],
  ['all are lost', { loss: 1 }, 0],
  ['all come twice', { duplication: 1 }, 2_000],
])('of a thousand packets %s', (_name, faults, arrived) => {
  const { time, near, heard } = wire(faults)
  for (let i = 0; i < 1_000; i++) near.send(there, Uint8Array.of(i & 255))
  time.run(1_000)
  expect(heard).toHaveLength(arrived)
})

test('a packet that is held back is overtaken', () => {
  const { time, near, heard } = wire({ latencyMs: [1, 1], reordering: 0.5 })
  for (let i = 0; i < 100; i++) near.send(there, Uint8Array.of(i))
  time.run(1_000)
  expect(heard).toHaveLength(100)
  expect(heard).not.toEqual(Array.from({ length: 100 }, (_, i) => `far ${i}`))
})

test('damage turns one bit behind the first byte, only where it would be noticed', () => {
  const { time, near, heard } = wire({ damage: 1 }, { mayDamage: bytes => bytes[0] === 12 })
  near.send(there, Uint8Array.of(12, 0, 0, 0))
  near.send(there, Uint8Array.of(4, 0, 0, 0))
  time.run(100)
  expect(heard.filter(line => /^far 12\.(?!0\.0\.0)/.test(line))).toHaveLength(1)
  expect(heard).toContain('far 4.0.0.0')
})

test('packets above the MTU vanish, headers included', () => {
  const { time, near, heard } = wire({}, { mtuBytes: 1_280 })
  near.send(there, new Uint8Array(1_252))
  near.send(there, new Uint8Array(1_253))
  time.run(100)
  expect(heard).toHaveLength(1)
})

test('a cut may be one-way, for packets; a stream needs both', () => {
  const { time, network, near, far, heard } = wire()
  network.cut(here.ip, there.ip)
  near.send(there, Uint8Array.of(1))
  far.send(here, Uint8Array.of(2))
  far.dial('out-1', here)
  time.run(100)
  expect(heard).toEqual(['near 2'])
  network.mend(here.ip, there.ip)
  near.send(there, Uint8Array.of(3))
  time.run(100)
  expect(heard).toEqual(['near 2', 'far 3'])
})

test('a stream carries bytes in order, slowly when the link is slow', () => {
  const { time, network, near, heard } = wire({ latencyMs: [1, 1] })
  near.dial('out-1', there)
  time.run(10)
  network.link(here.ip, there.ip, { latencyMs: [1, 1], loss: 0, bytesPerMs: 1 })
  near.write('out-1', new Uint8Array(500))
  near.write('out-1', new Uint8Array(100))
  near.close('out-1')
  time.run(499)
  expect(heard).toEqual(['far accepted in-1', 'near connected out-1'])
  time.run(200)
  expect(heard.slice(2)).toEqual(['far in-1 500', 'far in-1 100', 'far closed in-1 end'])
})

test('a dead process resets and refuses; a node without power says nothing at all', () => {
  const { time, near, far, heard } = wire()
  near.dial('out-1', there)
  time.run(100)
  far.detach()
  near.dial('out-2', there)
  time.run(100)
  expect(heard.slice(2)).toEqual(['near closed out-1 connection reset', 'near closed out-2 connection refused'])
  const dark = wire()
  dark.near.dial('out-1', there)
  dark.time.run(100)
  dark.far.vanish()
  dark.near.dial('out-2', there)
  dark.near.write('out-1', new Uint8Array(1))
  dark.time.run(60_000)
  expect(dark.heard).toHaveLength(2)
})

test('a write may end in a reset on both sides', () => {
  const { time, near, heard } = wire({ resets: 1 })
  near.dial('out-1', there)
  time.run(100)
  near.write('out-1', new Uint8Array(10))
  time.run(100)
  expect(heard.slice(2).sort()).toEqual(['far closed in-1 connection reset', 'near closed out-1 connection reset'])
})
