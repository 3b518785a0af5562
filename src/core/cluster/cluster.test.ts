/** Membership and registry together: what passes from one to the other, and what does not. */
import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { createPrng } from '../../kernel/prng.ts'
import { anInstance, aProfile } from '../../testing/builders.ts'
import { addressOf, anAlive, ourAddress } from '../../testing/membership-lab.ts'
import { encodeMessage, encodePushPull, membershipProfiles } from '../membership/index.ts'
import type { PacketMessage } from '../membership/index.ts'
import { createRegistry, encodeProfile, instanceKey } from '../registry/index.ts'
import type { RegistryInput } from '../registry/index.ts'
import { createClusterMachine } from './cluster.ts'

const now = 1_000

/** More than travels whole in a push/pull. */
const muchNews: RegistryInput & { readonly kind: 'published' } = {
  kind: 'published',
  now,
  changes: Array.from({ length: 100 }, (_, i) => {
    const containerId = `c${i}`
    const instance = anInstance({ containerId, reason: 'x'.repeat(900) })
    return { key: instanceKey(containerId), body: { kind: 'instance', instance } }
  }),
}

test.each([
  { from: '10.0.0.1', whose: 'its sender’s own place', told: ['10.0.0.1'] },
  { from: '10.66.6.6', whose: 'another place', told: [] },
])('a digest that comes from $whose makes us send our sections to $told', ({ from, told }) => {
  const machine = createClusterMachine(
    {
      name: nodeName('self'),
      address: ourAddress,
      meta: new Uint8Array(0),
      config: membershipProfiles.tailnet,
    },
    createPrng(1),
  )
  machine.step({ kind: 'started', now })
  machine.step(muchNews)
  const alive = encodeMessage(anAlive({ node: 'm1' }))
  machine.step({ kind: 'packetReceived', now, from: addressOf('m1'), bytes: alive })

  const exchange = (stream: string, ip: string) => [
    ...machine.step({ kind: 'streamAccepted', now, stream, from: { ip, port: 50_000 } }),
    ...machine.step({ kind: 'streamData', now, stream, bytes: encodePushPull(digestOf('m1')) }),
  ]
  // The first of all makes us tell everybody our own news besides.
  exchange('in-1', addressOf('m1').ip)
  const outputs = exchange('in-2', from)
  const dialled = outputs.flatMap(output => (output.kind === 'dialStream' ? [output.to.ip] : []))
  expect([...new Set(dialled)]).toEqual(told)
  expect(outputs.filter(output => output.kind === 'refused')).toHaveLength(told.length === 0 ? 1 : 0)
})

test('a large record that a push/pull brought is told to agents of ours alone, once', () => {
  const machine = createClusterMachine(
    { name: nodeName('self'), address: ourAddress, meta: new Uint8Array(0), config: membershipProfiles.tailnet },
    createPrng(1),
  )
  machine.step({ kind: 'started', now })
  const meta = encodeProfile(aProfile())
  for (const node of ['m1', 'm2', 'm3', 'm4', 'serf5']) {
    const alive = encodeMessage(anAlive({ node, ...(node === 'serf5' ? {} : { meta }) }))
    machine.step({ kind: 'packetReceived', now, from: addressOf(node), bytes: alive })
  }
  const dialledBy = (stream: string, userState: Uint8Array): readonly string[] =>
    [
      ...machine.step({ kind: 'streamAccepted', now, stream, from: { ip: addressOf('m1').ip, port: 50_000 } }),
      ...machine.step({
        kind: 'streamData',
        now,
        stream,
        bytes: encodePushPull({ join: false, nodes: [], userState }),
      }),
    ]
      .flatMap(output => (output.kind === 'dialStream' ? [output.to.ip] : []))
      .sort()

  const [m1, owner] = ['m1', 'm2'].map(name => createRegistry({ owner: nodeName(name), broadcastSizeBytesMax: 1_000 }))
  if (m1 === undefined || owner === undefined) throw new Error('two registries')
  expect(dialledBy('in-1', m1.localState(now).bytes)).toEqual([])
  const instance = anInstance({ containerId: 'web', reason: 'x'.repeat(1_500) })
  const body = { kind: 'instance', instance } as const
  m1.step({ kind: 'memberPresent', now, name: nodeName('m2') })
  for (const output of owner.step({ kind: 'published', now, changes: [{ key: instanceKey('web'), body }] }))
    if (output.kind === 'broadcastReliably') m1.step({ kind: 'deltaReceived', now, bytes: output.message })
  const state = m1.localState(now).bytes
  expect(dialledBy('in-2', state)).toEqual(['10.0.0.3', '10.0.0.4'])
  expect(dialledBy('in-3', state)).toEqual([])
})

test.each([
  { left: false, what: 'is passed on', sent: ['r:m2:i/web'] },
  { left: true, what: 'is not, once that has left', sent: [] },
])('what a member said $what', ({ left, sent }) => {
  const machine = createClusterMachine(
    { name: nodeName('self'), address: ourAddress, meta: new Uint8Array(0), config: membershipProfiles.tailnet },
    createPrng(1),
  )
  machine.step({ kind: 'started', now })
  const hear = (message: PacketMessage) =>
    machine.step({ kind: 'packetReceived', now, from: addressOf('m1'), bytes: encodeMessage(message) })
  for (const node of ['m1', 'm2']) hear(anAlive({ node }))
  const owner = createRegistry({ owner: nodeName('m2'), broadcastSizeBytesMax: 1_000 })
  const body = { kind: 'instance', instance: anInstance({ containerId: 'web' }) } as const
  for (const output of owner.step({ kind: 'published', now, changes: [{ key: instanceKey('web'), body }] }))
    if (output.kind === 'broadcast') hear({ kind: 'user', bytes: output.message })
  if (left) hear({ kind: 'dead', node: 'm2', incarnation: 1, from: 'm2' })
  const ticked = machine.step({ kind: 'tick', now: now + membershipProfiles.tailnet.gossipIntervalMs })
  expect(ticked.flatMap(output => (output.kind === 'newsSent' ? [output.name] : []))).toEqual(sent)
})

/** A push/pull of somebody who holds much, and nothing of ours. */
function digestOf(name: string) {
  const registry = createRegistry({ owner: nodeName(name), broadcastSizeBytesMax: 1_000 })
  registry.step(muchNews)
  return { join: false, nodes: [], userState: registry.localState(now).bytes }
}
