import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import type { NodeName } from '../../kernel/units.ts'
import { anInstance } from '../../testing/builders.ts'
import { encodePackable } from '../membership/index.ts'
import { seal } from './envelope.ts'
import { tombstoneMs } from './limits.ts'
import { instanceKey } from './record.ts'
import type { Instance, RecordBody, RecordKey } from './record.ts'
import { createRegistry } from './registry.ts'
import type { Registry, RegistryInput, RegistryOutput } from './types.ts'

type Unstamped<I> = I extends RegistryInput ? Omit<I, 'now'> : never

interface Node {
  readonly name: NodeName
  readonly registry: Registry
  tell(input: Unstamped<RegistryInput>): readonly RegistryOutput[]
  publish(...bodies: readonly RecordBody[]): readonly RegistryOutput[]
  holds(owner: NodeName): readonly RecordKey[]
}

let now = 0

function aNode(name: string, peers: readonly string[] = ['a', 'b', 'c']): Node {
  const registry = createRegistry({ owner: nodeName(name), broadcastSizeBytesMax: 1_000 })
  const tell = (input: Unstamped<RegistryInput>): readonly RegistryOutput[] => registry.step({ ...input, now })
  for (const peer of peers) tell({ kind: 'memberPresent', name: nodeName(peer) })
  return {
    name: nodeName(name),
    registry,
    tell,
    publish: (...bodies) => tell({ kind: 'published', changes: bodies.map(body => ({ key: keyOf(body), body })) }),
    holds: owner =>
      [...(registry.sections().get(owner)?.records.values() ?? [])]
        .filter(({ body }) => body.kind !== 'removed')
        .map(({ key }) => key)
        .sort(),
  }
}

function keyOf(body: RecordBody): RecordKey {
  return body.kind === 'instance' ? instanceKey(body.instance.containerId) : 'node'
}

function running(containerId: string, over: Partial<Instance> = {}): RecordBody {
  return { kind: 'instance', instance: anInstance({ containerId, ...over }) }
}

const web = running('web')
const db = running('db')
const gone = (key: RecordKey): Unstamped<RegistryInput> => ({
  kind: 'published',
  changes: [{ key, body: { kind: 'removed' } }],
})

function messagesOf(outputs: readonly RegistryOutput[]): readonly Uint8Array[] {
  return outputs.flatMap(output =>
    output.kind === 'broadcast' || output.kind === 'broadcastReliably' || output.kind === 'tellSome'
      ? [output.message]
      : [],
  )
}

/** Delivers what one node said to others, and answers what they said to it. */
function deliver(outputs: readonly RegistryOutput[], ...to: readonly Node[]): readonly RegistryOutput[] {
  return messagesOf(outputs).flatMap(bytes => to.flatMap(node => node.tell({ kind: 'deltaReceived', bytes })))
}

function pushPull(
  a: Node,
  b: Node,
): { readonly fromA: readonly RegistryOutput[]; readonly fromB: readonly RegistryOutput[] } {
  const ofA = a.registry.localState(now).bytes
  const ofB = b.registry.localState(now).bytes
  return { fromB: b.tell({ kind: 'stateReceived', bytes: ofA }), fromA: a.tell({ kind: 'stateReceived', bytes: ofB }) }
}

const kinds = (outputs: readonly RegistryOutput[]): readonly string[] => outputs.map(({ kind }) => kind)

test('a small record is gossiped under the name of its owner and key', () => {
  const outputs = aNode('a').publish(web)
  expect(kinds(outputs)).toEqual(['broadcast', 'sectionChanged'])
  expect(outputs[0]).toMatchObject({ name: 'r:a:i/web' })
})

test('who learns something new passes it on once, who knew it is silent', () => {
  const [a, b, c] = [aNode('a'), aNode('b'), aNode('c')]
  const said = a.publish(web)
  const relayed = deliver(said, b)
  expect(kinds(relayed)).toEqual(['sectionChanged', 'broadcast'])
  expect(relayed[1]).toMatchObject({ name: 'r:a:i/web' })
  expect(deliver(said, b)).toEqual([])
  deliver(relayed, c)
  expect(c.holds(a.name)).toEqual(['i/web'])
})

test('an equal body is not news', () => {
  const a = aNode('a')
  a.publish(web)
  expect(a.publish(web)).toEqual([])
  expect(a.registry.sections().get(a.name)?.version).toEqual({ epoch: 1, revision: 1 })
})

test('the last of several changes of one key in one call is what stays', () => {
  const a = aNode('a')
  a.publish(web)
  a.publish(running('web', { state: 'unhealthy' }), web)
  expect(a.registry.sections().get(a.name)?.records.get('i/web')?.body).toEqual(web)
})

test('large records go straight to everybody, in one message, and are not passed on', () => {
  const [a, b] = [aNode('a'), aNode('b')]
  const said = a.publish(large('web'), large('db'))
  expect(kinds(said)).toEqual(['sectionChanged', 'broadcastReliably'])
  expect(kinds(deliver(said, b))).toEqual(['sectionChanged'])
  expect(b.holds(a.name)).toEqual(['i/db', 'i/web'])
})

const large = (id: string, image = 'web'): RecordBody => running(id, { image, reason: 'x'.repeat(1_500) })

/** The large news that are to be told to a few members. */
function toldSome(outputs: readonly RegistryOutput[]) {
  return outputs.filter(output => output.kind === 'tellSome')
}

/** `missed` was not there when its owner told everybody; both have met before. */
function twoThatMet(bodies: readonly RecordBody[], owners = ['a']): { readonly knows: Node; readonly missed: Node } {
  const peers = ['k', 'm', ...owners]
  const [knows, missed] = [aNode('k', peers), aNode('m', peers)]
  pushPull(knows, missed)
  for (const owner of owners) deliver(aNode(owner).publish(...bodies), knows)
  return { knows, missed }
}

test('large records that a push/pull brought are told to a few, in one message, but not to owner or source', () => {
  const { knows, missed } = twoThatMet([large('web'), large('db'), running('small')])
  const { fromB } = pushPull(knows, missed)
  expect(kinds(fromB)).toEqual(['sectionChanged', 'broadcast', 'tellSome'])
  expect(toldSome(fromB)).toMatchObject([{ except: ['a', 'k'] }])
  const c = aNode('c', ['a', 'k', 'm'])
  deliver(toldSome(fromB), c)
  expect(c.holds(nodeName('a'))).toEqual(['i/db', 'i/web'])
})

test('who learns a large record by a relay passes it on, but not back; who knew it is silent, so it ends', () => {
  const { knows, missed } = twoThatMet([large('web')])
  const { fromB } = pushPull(knows, missed)
  const c = aNode('c', ['a', 'k', 'm'])
  const relayed = deliver(toldSome(fromB), c)
  expect(kinds(relayed)).toEqual(['sectionChanged', 'tellSome'])
  expect(toldSome(relayed)).toMatchObject([{ except: ['a', 'm'] }])
  expect(deliver(relayed, knows, missed, c)).toEqual([])
  expect(deliver(toldSome(fromB), c)).toEqual([])
})

test('of many owners with large news in one push/pull only some are passed on', () => {
  const owners = Array.from({ length: 40 }, (_, i) => `o${i}`)
  const { knows, missed } = twoThatMet([large('web')], owners)
  const outputs = bringSections(knows, missed)
  expect(outputs.filter(({ kind }) => kind === 'sectionChanged')).toHaveLength(40)
  expect(toldSome(outputs)).toHaveLength(16)
})

test('of very many large records of one owner as many are passed on as one message takes', () => {
  const { knows, missed } = twoThatMet(Array.from({ length: 300 }, (_, i) => large(`c${i}`)))
  const states = [...(knows.registry.sections().get(nodeName('a'))?.records.values() ?? [])]
  expect(states).toHaveLength(300)
  const outputs = bringSections(knows, missed)
  expect(toldSome(outputs)).toHaveLength(1)
  const c = aNode('c')
  deliver(toldSome(outputs), c)
  expect(c.holds(nodeName('a'))).toHaveLength(200)
})

test('a newcomer passes on nothing of its first resync, in whichever way that comes', () => {
  const wholeBrings = twoThatMet([large('web')]).knows
  const newcomer = aNode('n', ['a', 'k'])
  expect(toldSome(newcomer.tell({ kind: 'stateReceived', bytes: wholeBrings.registry.localState(now).bytes }))).toEqual(
    [],
  )
  const { knows } = twoThatMet(Array.from({ length: 100 }, (_, i) => large(`c${i}`)))
  const other = aNode('n', ['a', 'k'])
  expect(toldSome(bringSections(knows, other))).toEqual([])
  expect(other.holds(nodeName('a'))).toHaveLength(100)
})

/** One way of a push/pull of states too large to travel whole: a digest, and the sections it asks for. */
function bringSections(from: Node, to: Node): readonly RegistryOutput[] {
  to.tell({ kind: 'stateReceived', bytes: from.registry.localState(now).bytes })
  const answer = from.tell({ kind: 'stateReceived', bytes: to.registry.localState(now).bytes })
  return answer.flatMap(output =>
    output.kind === 'sendTo' && output.to === to.name ? to.tell({ kind: 'deltaReceived', bytes: output.message }) : [],
  )
}

test('the first push/pull makes a node tell everybody all of its own, and relay nothing', () => {
  const [a, b, c] = [aNode('a'), aNode('b'), aNode('c')]
  deliver(a.publish(web), b)
  c.publish(db)
  const { fromA: fromC } = pushPull(c, b)
  expect(kinds(fromC)).toEqual(['sectionChanged', 'sectionChanged', 'broadcastReliably'])
  deliver(fromC, a)
  expect([a.holds(c.name), c.holds(a.name)]).toEqual([['i/db'], ['i/web']])
})

test('news that two sides of a healed cut exchange is passed on by both', () => {
  const [a, b, c, d] = [
    aNode('a', ['b', 'c', 'd']),
    aNode('b', ['a', 'c', 'd']),
    aNode('c', ['a', 'b', 'd']),
    aNode('d'),
  ]
  pushPull(a, b)
  pushPull(c, d)
  deliver(a.publish(web), b)
  deliver(c.publish(db), d)
  const { fromA, fromB: fromC } = pushPull(a, c)
  deliver(fromA, b)
  deliver(fromC, d)
  expect([b.holds(c.name), d.holds(a.name)]).toEqual([['i/db'], ['i/web']])
})

test('a push/pull between two that know the same says nothing', () => {
  const [a, b] = [aNode('a'), aNode('b')]
  a.publish(web)
  b.publish(db)
  a.tell({ kind: 'completed' })
  pushPull(a, b)
  expect(pushPull(a, b)).toEqual({ fromA: [], fromB: [] })
})

test('a removal travels as a tombstone and outlives late copies of the record', () => {
  const [a, b] = [aNode('a'), aNode('b')]
  const written = a.publish(web)
  const removed = a.tell(gone('i/web'))
  deliver(removed, b)
  deliver(written, b)
  expect(b.holds(a.name)).toEqual([])
  expect(b.registry.sections().get(a.name)?.records.get('i/web')?.body.kind).toBe('removed')
})

test('removing what was never there says nothing', () => {
  expect(aNode('a').tell(gone('i/web'))).toEqual([])
})

test('a tombstone ends after a day, everywhere, and retelling does not prolong it', () => {
  now = 0
  const [a, b, c] = [aNode('a'), aNode('b'), aNode('c')]
  a.publish(web)
  deliver(a.tell(gone('i/web')), b)
  now = tombstoneMs - 1_000
  pushPull(b, c)
  expect(c.registry.sections().get(a.name)?.records.has('i/web')).toBe(true)
  now = tombstoneMs
  for (const node of [a, b, c]) {
    now = Math.max(now, node.registry.nextDeadline() ?? 0)
    node.tell({ kind: 'tick' })
  }
  expect([a, b, c].map(node => node.registry.sections().get(a.name)?.records.size)).toEqual([0, 0, 0])
})

test('after a restart peers keep old records until the owner is complete, then it buries what is gone', () => {
  const [before, b, c] = [aNode('a'), aNode('b'), aNode('c')]
  deliver(before.publish(web, db), b, c)
  const after = aNode('a')
  after.tell({ kind: 'epochLoaded', epoch: 2 })
  after.publish(web)
  const { fromB } = pushPull(after, b)
  expect(kinds(fromB)).not.toContain('persistEpoch')
  expect(b.holds(after.name)).toEqual(['i/db', 'i/web'])
  const buried = after.tell({ kind: 'completed' })
  expect(buried).toContainEqual(expect.objectContaining({ kind: 'broadcast', name: 'r:a:i/db' }))
  deliver(buried, b, c)
  expect([b.holds(after.name), c.holds(after.name)]).toEqual([['i/web'], ['i/web']])
})

test('a complete section buries for peers that the owner never heard from', () => {
  const [before, b] = [aNode('a'), aNode('b')]
  deliver(before.publish(web, db), b)
  const after = aNode('a')
  after.tell({ kind: 'epochLoaded', epoch: 2 })
  after.publish(web)
  after.tell({ kind: 'completed' })
  b.tell({ kind: 'stateReceived', bytes: after.registry.localState(now).bytes })
  expect(b.holds(after.name)).toEqual(['i/web'])
  expect(b.registry.sections().get(after.name)?.complete).toBe(true)
})

test('a key that a peer holds and a complete owner does not is buried as soon as it is heard of', () => {
  const [before, b] = [aNode('a'), aNode('b')]
  deliver(before.publish(db), b)
  const after = aNode('a')
  after.tell({ kind: 'epochLoaded', epoch: 2 })
  after.tell({ kind: 'completed' })
  const { fromA } = pushPull(after, b)
  expect(fromA).toContainEqual(expect.objectContaining({ kind: 'broadcast', name: 'r:a:i/db' }))
})

test.each([
  ['a higher epoch', 7, 8],
  ['the same epoch but more than this run wrote', 1, 2],
])('a peer that holds %s about us makes us rise above it and say everything anew', (_, heldEpoch, wanted) => {
  const [before, b] = [aNode('a'), aNode('b')]
  before.tell({ kind: 'epochLoaded', epoch: heldEpoch })
  for (const state of ['starting', 'healthy', 'unhealthy'] as const)
    deliver(before.publish(running('web', { state })), b)
  const after = aNode('a')
  after.publish(web)
  const { fromA } = pushPull(after, b)
  expect(fromA).toContainEqual({ kind: 'persistEpoch', epoch: wanted })
  deliver(fromA, b)
  expect(b.registry.sections().get(after.name)?.records.get('i/web')).toMatchObject({
    body: web,
    version: { epoch: wanted },
  })
})

test('nobody can put words into our mouth', () => {
  const [liar, a] = [aNode('a'), aNode('a')]
  a.publish(web)
  deliver(liar.publish(running('web', { image: 'evil' }), db), a)
  a.tell({ kind: 'stateReceived', bytes: liar.registry.localState(now).bytes })
  expect(a.holds(a.name)).toEqual(['i/web'])
  expect(a.registry.sections().get(a.name)?.records.get('i/web')?.body).toEqual(web)
})

test('sections of those who left are dropped and not taken from others, until they are members again', () => {
  const [a, b, c] = [aNode('a'), aNode('b'), aNode('c')]
  deliver(a.publish(web), b, c)
  expect(b.tell({ kind: 'memberGone', name: a.name })).toEqual([
    { kind: 'withdraw', names: ['r:a:i/web'] },
    { kind: 'sectionChanged', owner: a.name, changes: [] },
  ])
  expect(b.tell({ kind: 'memberGone', name: a.name })).toEqual([])
  expect(b.holds(a.name)).toEqual([])
  pushPull(b, c)
  expect(b.registry.sections().has(a.name)).toBe(false)
  b.tell({ kind: 'memberPresent', name: a.name })
  pushPull(b, c)
  expect(b.holds(a.name)).toEqual(['i/web'])
})

test('news that arrives before the word of its owner waits for it, but not for long', () => {
  const a = aNode('a')
  const [patient, late] = [aNode('b', []), aNode('c', [])]
  expect(deliver(a.publish(web, db), patient, late)).toEqual([])
  expect(patient.registry.sections().has(a.name)).toBe(false)
  const heard = patient.tell({ kind: 'memberPresent', name: a.name })
  expect(kinds(heard)).toEqual(['sectionChanged', 'broadcast', 'sectionChanged', 'broadcast'])
  expect(patient.holds(a.name)).toEqual(['i/db', 'i/web'])
  now += 10_001
  expect(late.tell({ kind: 'memberPresent', name: a.name })).toEqual([])
})

test('a relay of an older version loses nothing of what a newer one wrote', () => {
  const body = encodePackable({ t: 'w', gateway: 'up' })
  const newer = { o: 'a', l: [{ k: 'warp', e: 1, r: 1, b: body }] }
  const [b, c] = [aNode('b'), aNode('c')]
  const relayed = b.tell({ kind: 'deltaReceived', bytes: seal(2, newer) })
  expect(b.registry.sections().get(nodeName('a'))?.records.get('warp')?.body).toEqual({ kind: 'unknown' })
  deliver(relayed, c)
  pushPull(b, aNode('c'))
  expect(c.registry.sections().get(nodeName('a'))?.records.get('warp')).toMatchObject({ encoded: body })
})

test('one broken record does not spoil the others, and a section with one removes nothing', () => {
  const b = aNode('b')
  const packed = (key: string, revision: number, bytes: Uint8Array): object => ({ k: key, e: 1, r: revision, b: bytes })
  const tomb = encodePackable({ t: 'x' })
  b.tell({
    kind: 'deltaReceived',
    bytes: seal(2, { o: 'a', l: [packed('k1', 1, encodePackable({ t: 'w' })) as never] }),
  })
  const section = encodePackable({
    o: 'a',
    e: 1,
    r: 9,
    c: true,
    l: [packed('k2', 2, tomb) as never, packed('k3', 3, Uint8Array.of(0xc1)) as never],
  })
  const outputs = b.tell({ kind: 'stateReceived', bytes: seal(3, { s: [section, Uint8Array.of(1, 2)] }) })
  expect(outputs[0]).toMatchObject({ kind: 'refused', reason: 'malformed', count: 2 })
  const held = b.registry.sections().get(nodeName('a'))
  expect([...(held?.records.keys() ?? [])]).toEqual(['k1', 'k2'])
  expect(held?.complete).toBe(false)
})

test.each([
  ['foreign', Uint8Array.of(3, 1, 2)],
  ['unknownFormat', Uint8Array.of(0xc1, 99)],
  ['malformed', Uint8Array.of(0xc1, 2, 0xc1)],
  ['malformed', seal(2, { o: 'a b', l: [] })],
  ['malformed', seal(2, { o: 'a' })],
] as const)('a %s delta is refused with its reason', (reason, bytes) => {
  expect(aNode('b').tell({ kind: 'deltaReceived', bytes })).toMatchObject([{ kind: 'refused', reason }])
})

test('random bytes in every door never throw', () => {
  const b = aNode('b')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, ours) => {
      for (const [kind, formatByte] of [
        ['deltaReceived', 2],
        ['stateReceived', 3],
      ] as const)
        b.tell({ kind, bytes: ours ? Uint8Array.of(0xc1, formatByte, ...noise) : noise })
    }),
  )
})

test('what we would not accept from others we do not send', () => {
  const outputs = aNode('a').publish(
    running('web', { image: 'x'.repeat(600) }),
    running('b c'),
    running('db', { reason: '€'.repeat(9_000) }),
  )
  expect(outputs).toMatchObject([
    { kind: 'refused', reason: 'ownUnreadable', detail: 'i/web' },
    { kind: 'refused', reason: 'ownUnreadable', detail: 'i/b c' },
    { kind: 'refused', reason: 'ownTooLarge', detail: 'i/db' },
  ])
})
