import { describe, expect, test } from 'vitest'
import { nodeName, serviceId } from '../../kernel/units.ts'
import { anInstanceView } from '../../testing/builders.ts'
import type { PoolMember } from '../routing/index.ts'
import { orderCandidates } from './candidates.ts'

function aMember(node: string, over: Partial<PoolMember> = {}): PoolMember {
  return {
    instance: { ...anInstanceView({ containerId: `c-${node}` }), node: nodeName(node) },
    node: nodeName(node),
    local: false,
    via: 'instance',
    scheme: 'http',
    address: { ip: '127.0.0.1', port: 80 },
    traffic: 'yes',
    priority: 50,
    ...over,
  }
}

function order(members: readonly PoolMember[], turn = 0, localOnly = false): string {
  const pool = { name: 'web', service: serviceId('web'), members }
  return orderCandidates(pool, { turn, localOnly })
    .map(member => member.node)
    .join(' ')
}

const here = aMember('here', { local: true })
const cheap = aMember('cheap', { priority: 10 })
const a = aMember('a')
const b = aMember('b')
const c = aMember('c')
const suspect = aMember('suspect', { traffic: 'lastResort', priority: 1 })

test('local first, then by priority, suspected nodes last', () => {
  expect(order([suspect, b, a, cheap, here])).toBe('here cheap a b suspect')
})

test.each([
  [0, 'a b c'],
  [1, 'b c a'],
  [2, 'c a b'],
  [3, 'a b c'],
])('on turn %i equal members come as %s', (turn, expected) => {
  expect(order([c, a, b], turn)).toBe(expected)
})

test('unequal members never change places', () => {
  expect(order([here, cheap, a, b], 1)).toBe('here cheap b a')
})

test('replicas on this node take turns too', () => {
  const replica = aMember('here', { local: true, instance: anInstanceView({ containerId: 'c-second' }) })
  const first = (turn: number) =>
    orderCandidates({ name: 'web', service: serviceId('web'), members: [here, replica] }, { turn, localOnly: false })[0]
  expect(first(0)).not.toBe(first(1))
})

describe('a request another proxy sent', () => {
  test('stays on this node', () => {
    expect(order([here, a, suspect], 0, true)).toBe('here')
  })

  test('has nowhere to go without a local member', () => {
    expect(order([a, b], 0, true)).toBe('')
  })

  test('never goes to a proxy, not even for a member said to be here', () => {
    expect(order([aMember('here', { local: true, via: 'peerProxy' })], 0, true)).toBe('')
  })
})
