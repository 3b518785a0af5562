/** Membership and registry together: what passes from one to the other, and what does not. */
import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { createPrng } from '../../kernel/prng.ts'
import { anInstance } from '../../testing/builders.ts'
import { addressOf, anAlive, ourAddress } from '../../testing/membership-lab.ts'
import { encodeMessage, encodePushPull, membershipProfiles } from '../membership/index.ts'
import { createRegistry, instanceKey } from '../registry/index.ts'
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

/** A push/pull of somebody who holds much, and nothing of ours. */
function digestOf(name: string) {
  const registry = createRegistry({ owner: nodeName(name), broadcastSizeBytesMax: 1_000 })
  registry.step(muchNews)
  return { join: false, nodes: [], userState: registry.localState(now).bytes }
}
