import { expect, test } from 'vitest'
import { incompatibility } from './compatibility.ts'
import type { NodeState } from './messages.ts'
import type { MemberStatus } from './types.ts'

test.each([
  { why: 'alike', nodes: [node([1, 5, 2, 1, 1, 1]), node([1, 5, 2, 1, 1, 1])] },
  { why: 'overlapping ranges', nodes: [node([1, 5, 2, 2, 5, 4]), node([2, 4, 3, 3, 4, 4])] },
  { why: 'a departed one speaks otherwise', nodes: [node([1, 5, 2, 1, 1, 1]), node([4, 5, 5, 9, 9, 9], 'dead')] },
  { why: 'one tells no versions', nodes: [node([1, 5, 2, 1, 1, 1]), node([])] },
])('members can talk: $why', ({ nodes }) => {
  expect(incompatibility(nodes)).toBeUndefined()
})

test.each([
  { nodes: [node([1, 5, 2, 1, 1, 1]), node([3, 5, 3, 1, 1, 1])], reason: 'n speaks protocol 2, all support 3 to 5' },
  {
    nodes: [node([1, 1, 1, 1, 1, 1]), node([2, 5, 2, 1, 1, 1])],
    reason: 'n speaks protocol 1, all support none in common',
  },
  {
    nodes: [node([1, 5, 2, 1, 1, 1]), node([1, 5, 2, 2, 5, 4])],
    reason: 'n speaks application version 1, all support none in common',
  },
  { nodes: [node([1, 5, 6, 1, 1, 1])], reason: 'n speaks protocol 6, all support 1 to 5' },
])('members cannot talk: $reason', ({ nodes, reason }) => {
  expect(incompatibility(nodes)).toBe(reason)
})

function node(versions: readonly number[], status: MemberStatus = 'alive'): NodeState {
  const address = { ip: '10.0.0.1', port: 7946 }
  return { name: 'n', address, meta: new Uint8Array(0), incarnation: 1, status, versions: Uint8Array.from(versions) }
}
