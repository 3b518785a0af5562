/** Two registries, one push/pull between them, and what its messages cost. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import type { NodeName } from '../../kernel/units.ts'
import { anInstance } from '../../testing/builders.ts'
import { encodePackable } from '../membership/index.ts'
import { encodeBody } from './encode-record.ts'
import { encodeDelta } from './delta.ts'
import { encodeDigest } from './digest.ts'
import { format, isFormat } from './envelope.ts'
import { sectionMessagesMax, sectionsMessageSizeBytes, wholeStateSizeBytesMax } from './limits.ts'
import { instanceKey } from './record.ts'
import type { RecordBody } from './record.ts'
import { createRegistry } from './registry.ts'
import { createSectionEncoder } from './section-codec.ts'
import { emptySection } from './section.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { encodeSections, encodeWholeState } from './state-exchange.ts'
import type { Registry, RegistryOutput } from './types.ts'

const now = 1_000
/** Thousands of records are written and read, on a machine that may be busy. */
const slow = { timeout: 60_000 }
const pack = createSectionEncoder()

interface Side {
  readonly name: NodeName
  readonly registry: Registry
}

function aSide(name: string, owners: readonly string[]): Side {
  const registry = createRegistry({ owner: nodeName(name), broadcastSizeBytesMax: 1_000 })
  for (const owner of owners) registry.step({ kind: 'memberPresent', now, name: nodeName(owner) })
  return { name: nodeName(name), registry }
}

/** Teaches it sections as if a peer had sent them. */
function learn({ registry }: Side, sections: readonly HeldSection[]): void {
  for (const section of sections)
    registry.step({ kind: 'deltaReceived', now, bytes: encodeSections(nodeName('peer'), [pack(section, now)]) })
}

/** What was sent to one member directly, and how many bytes. */
function messagesTo({ name }: Side, outputs: readonly RegistryOutput[]): readonly Uint8Array[] {
  return outputs.flatMap(output => (output.kind === 'sendTo' && output.to === name ? [output.message] : []))
}

const sizeOf = (messages: readonly Uint8Array[]): number => messages.reduce((sum, bytes) => sum + bytes.length, 0)

/** Both send their states as they were, then both act; answers how many bytes each sent. */
function pushPull(a: Side, b: Side, join = false): { readonly fromA: number; readonly fromB: number } {
  const [ofA, ofB] = [a, b].map(({ registry }) => registry.localState(now, join).bytes)
  if (ofA === undefined || ofB === undefined) throw new Error('two states')
  const toA = messagesTo(a, b.registry.step({ kind: 'stateReceived', now, bytes: ofA, join }))
  const toB = messagesTo(b, a.registry.step({ kind: 'stateReceived', now, bytes: ofB, join }))
  for (const bytes of toB) b.registry.step({ kind: 'deltaReceived', now, bytes })
  for (const bytes of toA) a.registry.step({ kind: 'deltaReceived', now, bytes })
  return { fromA: ofA.length + sizeOf(toB), fromB: ofB.length + sizeOf(toA) }
}

function aRecord(key: string, epoch: number, revision: number, over: Partial<HeldRecord> = {}): HeldRecord {
  const body: RecordBody = { kind: 'instance', instance: anInstance({ containerId: key }) }
  return { key: instanceKey(key), version: { epoch, revision }, body, encoded: encodeBody(body), ...over }
}

function aSection(owner: string, records: readonly HeldRecord[], over: Partial<HeldSection> = {}): HeldSection {
  const version = records.reduce((newest, { version: { revision } }) => Math.max(newest, revision), 0)
  const wholeAt = { epoch: 1, revision: version }
  const held = new Map(records.map(record => [record.key, record]))
  return { ...emptySection(nodeName(owner)), version: wholeAt, wholeAt, complete: true, records: held, ...over }
}

function records(count: number, prefix = 'c'): readonly HeldRecord[] {
  return Array.from({ length: count }, (_, i) => aRecord(`${prefix}${i}`, 1, i + 1))
}

/** Enough to make any state too large to travel whole. */
const ballast = aSection(
  'ballast',
  records(5).map(record => ({ ...record, ...unknown(new Uint8Array(15_000)) })),
)

/** As another version of the agent might write it. */
function unknown(content: Uint8Array): Pick<HeldRecord, 'body' | 'encoded'> {
  return { body: { kind: 'unknown' }, encoded: encodePackable({ t: 'z', content }) }
}

test('a small state travels whole, a large one as a digest; who joins gets a large one whole as well', () => {
  const a = aSide('a', ['ballast'])
  const formatOf = (join: boolean): number | undefined => a.registry.localState(now, join).bytes[1]
  expect(formatOf(false)).toBe(format.wholeState)
  learn(a, [ballast])
  expect(formatOf(false)).toBe(format.digest)
  expect(formatOf(true)).toBe(format.wholeState)
  expect(a.registry.localState(now, true).bytes.length).toBeGreaterThan(wholeStateSizeBytesMax)
})

test('a hundred nodes of sixty records: equal states cost below 8 KiB, one changed section costs itself', slow, () => {
  const owners = Array.from({ length: 100 }, (_, i) => `node-${i}`)
  const sections = owners.map(owner => aSection(owner, records(60)))
  const [a, b] = [aSide('a', [...owners, 'b']), aSide('b', [...owners, 'a'])]
  learn(a, sections)
  learn(b, sections)
  pushPull(a, b)
  const equal = pushPull(a, b)
  expect(equal.fromA).toBeLessThan(8 * 1_024)
  expect(equal.fromB).toBeLessThan(8 * 1_024)

  const changed = aSection('node-7', [...records(59), aRecord('new', 1, 61)])
  learn(a, [changed])
  const differing = pushPull(a, b)
  expect(differing.fromB - equal.fromB).toBe(0)
  expect(differing.fromA - equal.fromA).toBeLessThan(pack(changed, now).length + 32)
  expect(held(b)).toEqual(held(a))
})

test('a large side sends a small one what it lacks, and hears from its whole state what it lacks itself', () => {
  const [large, small] = [aSide('a', ['b', 'ballast', 'c']), aSide('b', ['a', 'ballast', 'c'])]
  learn(large, [ballast])
  learn(small, [aSection('c', records(3))])
  pushPull(large, small)
  expect(held(small)).toEqual(held(large))
  expect(large.registry.sections().get(nodeName('c'))?.records.size).toBe(3)
})

test('who joins is not sent again what its push/pull had brought', () => {
  const [seed, joiner] = [aSide('a', ['b', 'ballast']), aSide('b', ['a', 'ballast'])]
  learn(seed, [ballast])
  const state = seed.registry.localState(now, true).bytes
  expect(pushPull(seed, joiner, true).fromA).toBe(state.length)
  expect(held(joiner)).toEqual(held(seed))
})

test('what does not fit the messages of one exchange goes with the next ones', slow, () => {
  const owners = Array.from({ length: 12 }, (_, i) => `node-${i}`)
  const reason = 'x'.repeat(2_000)
  const big = Array.from({ length: 400 }, (_, i) => {
    const body: RecordBody = { kind: 'instance', instance: anInstance({ containerId: `c${i}`, reason }) }
    return aRecord(`c${i}`, 1, i + 1, { body, encoded: encodeBody(body) })
  })
  const [a, b] = [aSide('a', ['b', ...owners]), aSide('b', ['a', ...owners])]
  learn(
    a,
    owners.map(owner => aSection(owner, big)),
  )
  const digest = encodeDigest({ sender: b.name, sections: [] })
  const messages = messagesTo(b, a.registry.step({ kind: 'stateReceived', now, bytes: digest }))
  expect(messages).toHaveLength(sectionMessagesMax)
  for (const bytes of messages) {
    expect(bytes.length).toBeLessThanOrEqual(sectionsMessageSizeBytes)
    expect(isFormat(format.sections, bytes)).toBe(true)
  }
  pushPull(a, b)
  expect(held(b)).not.toEqual(held(a))
  pushPull(a, b)
  expect(held(b)).toEqual(held(a))
})

test('a peer that holds more of us than this run wrote tells us by its section, and is outbid', () => {
  const [before, peer] = [aSide('a', ['b', 'ballast']), aSide('b', ['a', 'ballast'])]
  before.registry.step({ kind: 'epochLoaded', now, epoch: 7 })
  before.registry.step({ kind: 'published', now, changes: [{ key: 'node', body: { kind: 'removed' } }] })
  const body: RecordBody = { kind: 'instance', instance: anInstance({ containerId: 'web' }) }
  before.registry.step({ kind: 'published', now, changes: [{ key: instanceKey('web'), body }] })
  learn(before, [ballast])
  pushPull(before, peer)
  const after = aSide('a', ['b', 'ballast'])
  learn(after, [ballast])
  const [ofPeer, ofAfter] = [peer, after].map(({ registry }) => registry.localState(now).bytes)
  const toAfter = messagesTo(after, peer.registry.step({ kind: 'stateReceived', now, bytes: ofAfter ?? nothing }))
  after.registry.step({ kind: 'stateReceived', now, bytes: ofPeer ?? nothing })
  const outputs = toAfter.flatMap(bytes => after.registry.step({ kind: 'deltaReceived', now, bytes }))
  expect(outputs).toContainEqual({ kind: 'persistEpoch', epoch: 8 })
})

test('an older agent that does not tell its name gets no sections, and is taken in', () => {
  const a = aSide('a', ['c', 'ballast'])
  learn(a, [ballast])
  const state = encodeWholeState(nodeName('b'), [pack(aSection('c', records(2)), now)])
  const nameless = replaceLetter(state)
  expect(a.registry.step({ kind: 'stateReceived', now, bytes: nameless }).map(({ kind }) => kind)).not.toContain(
    'sendTo',
  )
  expect(a.registry.sections().get(nodeName('c'))?.records.size).toBe(2)
})

test('hostile digests are refused or answered within bounds, never thrown over', () => {
  const a = aSide('a', ['b', 'ballast'])
  learn(a, [ballast])
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(3, 4, 5), (noise, byte) => {
      const bytes = Uint8Array.of(0xc1, byte, ...noise)
      const outputs = [
        ...a.registry.step({ kind: 'stateReceived', now, bytes }),
        ...a.registry.step({ kind: 'deltaReceived', now, bytes }),
      ]
      expect(outputs.filter(({ kind }) => kind === 'sendTo').length).toBeLessThanOrEqual(sectionMessagesMax)
    }),
  )
})

const nothing = new Uint8Array(0)

/** What each holds of others, in a form that compares: sections by owner, records by key, tombstones included. */
function held({ registry }: Side, except: readonly string[] = ['a', 'b']): unknown {
  return [...registry.sections()]
    .filter(([owner, { records: all }]) => !except.includes(owner) && all.size > 0)
    .map(([owner, { complete, records: all }]) => ({
      owner,
      complete,
      records: [...all.values()]
        .map(({ key, version, body }) => `${key} ${version.epoch}.${version.revision} ${body.kind}`)
        .sort(),
    }))
    .sort((x, y) => (x.owner < y.owner ? -1 : 1))
}

/** The same without tombstones: what anybody acts upon. */
function visible({ registry }: Side): unknown {
  return [...registry.sections()]
    .filter(([owner]) => owner !== 'a' && owner !== 'b')
    .map(([owner, { complete, records: all }]) => ({
      owner,
      complete,
      records: [...all.values()]
        .filter(({ body }) => body.kind !== 'removed')
        .map(({ key, version }) => `${key} ${version.epoch}.${version.revision}`)
        .sort(),
    }))
    .filter(({ records: live }) => live.length > 0)
    .sort((x, y) => (x.owner < y.owner ? -1 : 1))
}

/** The history of one owner: each step writes or removes one key, now and then it starts anew or lists its engine. */
type Step = { readonly key: number; readonly act: 'write' | 'remove' | 'restart' | 'complete' }

const history = fc.array(
  fc.record<Step>({
    key: fc.integer({ min: 0, max: 5 }),
    act: fc.constantFrom('write', 'write', 'write', 'remove', 'remove', 'restart', 'complete'),
  }),
  { minLength: 1, maxLength: 25 },
)

/** Which of the owner's words a side heard, one choice per step: each delta, and whole sections in between. */
const hearing = fc.array(fc.record({ delta: fc.boolean(), whole: fc.integer({ min: 0, max: 4 }) }), {
  minLength: 25,
  maxLength: 25,
})

test('after one exchange both hold the same of everybody, after a second one the same tombstones as well', slow, () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ steps: history, heardByA: hearing, heardByB: hearing }), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      fc.boolean(),
      (owners, largeA, largeB) => {
        const names = owners.map((_, i) => `owner-${i}`)
        const [a, b] = [aSide('a', ['b', 'ballast', ...names]), aSide('b', ['a', 'ballast', ...names])]
        if (largeA) learn(a, [ballast])
        if (largeB) learn(b, [ballast])
        for (const [i, { steps, heardByA, heardByB }] of owners.entries())
          live(names[i] ?? '', steps, [
            { side: a, heard: heardByA },
            { side: b, heard: heardByB },
          ])
        pushPull(a, b)
        expect(visible(a)).toEqual(visible(b))
        pushPull(a, b)
        expect(held(a)).toEqual(held(b))
      },
    ),
    { numRuns: 150 },
  )
})

interface Listener {
  readonly side: Side
  readonly heard: readonly { readonly delta: boolean; readonly whole: number }[]
}

/** Lets a real registry be the owner, so that only what an owner can say is ever said. */
function live(name: string, steps: readonly Step[], listeners: readonly Listener[]): void {
  let epoch = 1
  let owner = aSide(name, [])
  for (const [at, { key, act }] of steps.entries()) {
    if (act === 'restart') {
      owner = aSide(name, [])
      owner.registry.step({ kind: 'epochLoaded', now, epoch: ++epoch })
    } else if (act === 'complete') owner.registry.step({ kind: 'completed', now })
    else {
      const id = `k${key}`
      const body: RecordBody =
        act === 'remove'
          ? { kind: 'removed' }
          : { kind: 'instance', instance: anInstance({ containerId: id, image: `web:${at}` }) }
      owner.registry.step({ kind: 'published', now, changes: [{ key: instanceKey(id), body }] })
      const record = owner.registry.sections().get(nodeName(name))?.records.get(instanceKey(id))
      for (const { side, heard } of listeners)
        if (record !== undefined && heard[at]?.delta === true)
          side.registry.step({
            kind: 'deltaReceived',
            now,
            // Ours is a held section in truth; only the contract to the outside is narrower.
            bytes: encodeDelta({ owner: nodeName(name), direct: false, records: [record as HeldRecord] }, now),
          })
    }
    for (const { side, heard } of listeners)
      if (heard[at]?.whole === 0)
        side.registry.step({ kind: 'stateReceived', now, bytes: owner.registry.localState(now).bytes })
  }
}

/** Turns the sender's letter into one that nobody knows. */
function replaceLetter(state: Uint8Array): Uint8Array {
  const bytes = state.slice()
  const at = bytes.findIndex((byte, i) => byte === 0xa1 && bytes[i + 1] === 'n'.charCodeAt(0))
  bytes[at + 1] = 'z'.charCodeAt(0)
  return bytes
}
