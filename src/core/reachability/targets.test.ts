import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { aMember, aSection, anInstance } from '../../testing/builders.ts'
import { targetsOf } from './targets.ts'

const [self, b] = [nodeName('a'), nodeName('b')]
const instances = [
  anInstance({ containerId: 'published' }),
  anInstance({ containerId: 'proxy-only', endpoints: [{ protocol: 'tcp', containerPort: 80 }] }),
  anInstance({ containerId: 'stopped', state: 'stopped' }),
]
const sections = new Map([[b, aSection(b, instances)]])

test.each([
  ['alive', 0],
  ['suspect', 1],
  ['dead', 1],
  ['left', 0],
] as const)('a member that is %s makes %i targets', (status, count) => {
  expect(targetsOf(self, [aMember({ name: 'b', status })], sections).length).toBe(count)
})

test('the agent is asked at its gossip port, instances where other nodes reach them', () => {
  const address = { ip: '100.64.0.2', port: 7950 }
  expect(targetsOf(self, [aMember({ name: 'b', status: 'dead', address })], sections)).toEqual([
    { node: b, agent: address, instances: new Map([['published', { ip: '100.64.0.2', port: 18_080 }]]) },
  ])
})

test.each([
  ['we ourselves', aMember({ name: 'a', status: 'suspect' })],
  ['a foreign peer', aMember({ name: 'b', status: 'dead', meta: new Uint8Array([1]) })],
  ['a name that is none of ours', aMember({ name: 'no name', status: 'dead' })],
])('%s: no target', (_, member) => {
  expect(targetsOf(self, [member], sections)).toEqual([])
})

test('a dead agent that never told us anything is asked itself', () => {
  expect(targetsOf(self, [aMember({ name: 'c', status: 'dead' })], sections)[0]?.instances.size).toBe(0)
})
