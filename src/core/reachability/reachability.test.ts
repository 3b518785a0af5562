import { expect, test } from 'vitest'
import { drive } from '../../controllers/drive.ts'
import { formatAddress, nodeName } from '../../kernel/units.ts'
import type { Address } from '../../kernel/units.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import type { ProbeVerdict } from '../registry/index.ts'
import { createReachability } from './reachability.ts'
import type { Input, Output, Target } from './types.ts'

const [b, c] = [nodeName('b'), nodeName('c')]

/** A node at 10.0.0.2 with its gossip port and `count` instances at ports 1000, 1001 ... */
function aTarget(node = b, count = 0, ip = '10.0.0.2'): Target {
  const ports = Array.from({ length: count }, (_, i) => 1_000 + i)
  return {
    node,
    agent: { ip, port: 7946 },
    instances: new Map(ports.map(port => [`${node}${port}`, { ip, port }])),
  }
}

type Answer = (address: Address) => ProbeVerdict | 'never'

/** The machine on virtual time beside a world that answers: a refusal at once, silence after the timeout. */
function lab(answer: Answer = () => 'refused') {
  const clock = new VirtualClock()
  const machine = createReachability()
  const history: string[] = []
  let open = 0
  let openMax = 0
  let changes = 0
  const world = { answer }
  const driver = drive<Input, Output>(machine, clock, output => {
    if (output.kind === 'verdictsChanged') {
      changes++
      return
    }
    history.push(`${clock.now()} ${formatAddress(output.address)}`)
    openMax = Math.max(openMax, ++open)
    const verdict = world.answer(output.address)
    if (verdict === 'never') return
    clock.at(clock.now() + (verdict === 'silent' ? output.timeoutMs : 0), () => {
      open--
      driver.feed({ kind: 'probeFinished', now: clock.now(), token: output.token, verdict })
    })
  })
  return {
    clock,
    machine,
    history,
    world,
    watch: (...targets: readonly Target[]) => driver.feed({ kind: 'targetsChanged', now: clock.now(), targets }),
    feed: (input: Input) => driver.feed(input),
    openMax: () => openMax,
    changes: () => changes,
    known: () =>
      [...machine.verdicts()].map(([node, { agent, instances }]) => [node, agent, Object.fromEntries(instances)]),
  }
}

test('the agent and every instance are asked at once, the agent first', () => {
  const { watch, history } = lab()
  watch(aTarget(b, 2))
  expect(history).toEqual(['0 10.0.0.2:7946', '0 10.0.0.2:1000', '0 10.0.0.2:1001'])
})

test('what they say is known', () => {
  const { watch, clock, known } = lab(({ port }) => (port === 7946 ? 'refused' : port === 1000 ? 'answers' : 'silent'))
  watch(aTarget(b, 2))
  clock.advance(0)
  expect(known()).toEqual([['b', 'refused', { b1000: 'answers' }]])
  clock.advance(1_000)
  expect(known()).toEqual([['b', 'refused', { b1000: 'answers', b1001: 'silent' }]])
})

test('every two seconds in the first minute, then every ten', () => {
  const { watch, clock, history } = lab()
  watch(aTarget())
  clock.advance(100_000)
  const moments = history.map(line => Number(line.split(' ')[0]) / 1_000)
  expect(moments.slice(0, 4)).toEqual([0, 2, 4, 6])
  expect(moments.slice(-5)).toEqual([60, 70, 80, 90, 100])
})

test('a member that is no target any more is forgotten, and its late answers are nothing', () => {
  const { watch, clock, known, history, changes, machine } = lab(() => 'silent')
  watch(aTarget(b, 1))
  clock.advance(1_500)
  expect(known().length).toBe(1)
  clock.advance(1_000)
  watch()
  const [asked, told] = [history.length, changes()]
  expect(known()).toEqual([])
  clock.advance(60_000)
  expect([history.length, changes()]).toEqual([asked, told])
  expect(machine.nextDeadline()).toBeUndefined()
})

test('an equal verdict is no news, another one is', () => {
  const { watch, clock, changes, world, machine } = lab()
  watch(aTarget())
  clock.advance(10_000)
  const before = machine.verdicts()
  expect(changes()).toBe(1)
  watch(aTarget())
  expect(machine.verdicts()).toBe(before)
  world.answer = () => 'answers'
  clock.advance(2_000)
  expect(changes()).toBe(2)
})

test('at most 32 connects are open, and everybody has a turn although all stay silent', () => {
  const { watch, clock, history, openMax } = lab(({ port }) => (port === 7946 ? 'refused' : 'silent'))
  watch(aTarget(b, 100), aTarget(c, 100, '10.0.0.3'))
  clock.advance(7_000)
  expect(openMax()).toBe(32)
  expect(new Set(history.map(line => line.split(' ')[1])).size).toBe(202)
})

test('though their turn comes later, verdicts of many instances do not lapse in between', () => {
  const { watch, clock, changes, known } = lab(({ port }) => (port === 7946 ? 'refused' : 'silent'))
  watch(aTarget(b, 300))
  clock.advance(30_000)
  const settled = changes()
  clock.advance(120_000)
  expect(changes()).toBe(settled)
  expect(Object.keys(known()[0]?.[2] ?? {}).length).toBe(300)
})

test('behind a silent agent instances are asked once, and again as soon as the host speaks', () => {
  const { watch, clock, history, world } = lab(() => 'silent')
  watch(aTarget(b, 1))
  clock.advance(20_000)
  const instanceAsked = (): number => history.filter(line => line.endsWith(':1000')).length
  expect(instanceAsked()).toBe(1)
  world.answer = () => 'refused'
  clock.advance(2_000)
  expect(instanceAsked()).toBe(2)
})

test('one lost packet does not undo an answer, two in a row do', () => {
  const { watch, clock, known, world } = lab()
  watch(aTarget())
  clock.advance(1_000)
  let lost = 0
  world.answer = () => (lost++ === 0 ? 'silent' : 'refused')
  clock.advance(5_000)
  expect(lost).toBeGreaterThan(1)
  expect(known()).toEqual([['b', 'refused', {}]])
  world.answer = () => 'silent'
  clock.advance(4_000)
  expect(known()).toEqual([['b', 'silent', {}]])
})

test('an address that moved is asked anew, what was known of the old one is forgotten', () => {
  const { watch, clock, known, history } = lab(({ ip }) => (ip === '10.0.0.2' ? 'refused' : 'silent'))
  watch(aTarget(b, 1))
  clock.advance(100)
  watch(aTarget(b, 1, '10.0.0.9'))
  expect(history.slice(-2)).toEqual(['100 10.0.0.9:7946', '100 10.0.0.9:1000'])
  expect(known()).toEqual([])
})

test('verdicts lapse after three intervals without an answer, and lost probes free their slots', () => {
  const { watch, clock, known, world, history } = lab()
  watch(aTarget())
  clock.advance(1)
  world.answer = () => 'never'
  clock.advance(5_998)
  expect(known()).toEqual([['b', 'refused', {}]])
  clock.advance(1)
  expect(known()).toEqual([])
  const asked = history.length
  clock.advance(10_000)
  expect(history.length).toBeGreaterThan(asked)
})

test('an answer nobody asked for is ignored', () => {
  const { feed, known } = lab()
  feed({ kind: 'probeFinished', now: 0, token: 99, verdict: 'answers' })
  expect(known()).toEqual([])
})
