/** What somebody who can reach our sockets may try, against whole machines: refused, counted, bounded, and without harm. */
import { expect, test } from 'vitest'
import { concatBytes } from '../../kernel/bytes.ts'
import type { Address } from '../../kernel/units.ts'
import { literalLzw } from '../../testing/literal-lzw.ts'
import { addressOf, anAlive, membershipLab, outputsOf, ourAddress } from '../../testing/membership-lab.ts'
import { createSimCluster } from '../../testing/sim-membership.ts'
import type { SimCluster, SimNode } from '../../testing/sim-membership.ts'
import { encodeCompound, encodeMessage } from './codec.ts'
import { isFresher } from './counter.ts'
import { messageType } from './messages.ts'
import type { NodeState, PacketMessage } from './messages.ts'
import { createWriter } from './msgpack-writer.ts'
import { encodePushPull } from './stream-codec.ts'
import { writeStruct } from './structs.ts'
import type { Output } from './types.ts'

const seconds = 1_000
const attacker: Address = { ip: '10.66.6.6', port: 6_666 }
const nothing = new Uint8Array(0)
/** Thousands of packets and whole clusters, on a machine that may be busy. */
const slow = { timeout: 60_000 }

test.each([0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff])(
  'our own alive, replayed with incarnation %i, is no fresher than our next word, however often it comes',
  incarnation => {
    const lab = membershipLab({ knows: ['m1', 'm2'] })
    for (let i = 0; i < 100; i++) lab.hear(anAlive({ node: 'self', address: ourAddress, incarnation }), attacker)
    const own = lab.member('self')
    expect(own?.status).toBe('alive')
    expect(isFresher(incarnation, own?.incarnation ?? 0)).toBe(false)
    expect(lab.machine.stats().refutations).toBeLessThanOrEqual(5)
    expect(lab.machine.stats().queueDepth).toBeLessThanOrEqual(3)
  },
)

test('words about us from both ends of the counter, in turn, cost a handful of answers and leave us alive', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  for (let i = 0; i < 1_000; i++)
    for (const incarnation of [0x7fff_ffff, 0xffff_ffff, 0x3fff_ffff])
      lab.hear(anAlive({ node: 'self', address: ourAddress, incarnation }), attacker)
  expect(lab.member('self')?.status).toBe('alive')
  expect(lab.machine.stats().refutations).toBeLessThanOrEqual(5)
})

test('the packets of a whole earlier run, replayed into a later one, leave every view as it is', () => {
  const recorded: { readonly to: string; readonly bytes: Uint8Array }[] = []
  const earlier = createSimCluster(1)
  const record = (output: Output): void => {
    if (output.kind === 'sendPacket') recorded.push({ to: output.to.ip, bytes: output.bytes })
  }
  const before = fiveOf(earlier, record)
  earlier.time.run(20 * seconds)
  before[4]?.kill()
  earlier.time.run(20 * seconds)
  expect(recorded.length).toBeGreaterThan(400)

  const later = createSimCluster(2)
  const nodes = fiveOf(later)
  later.time.run(10 * seconds)
  for (const { to, bytes } of recorded)
    nodes.find(({ address }) => address.ip === to)?.feed({ kind: 'packetReceived', from: attacker, bytes })
  later.time.run(15 * seconds)
  expect(viewsOf(nodes)).toEqual(allAlive)
})

test.each([0x7fff_fff0, 0x8000_0000, 0xffff_ffff])(
  'an alive about another member with incarnation %i is outbid by that member itself',
  incarnation => {
    const sim = createSimCluster(3)
    const nodes = fiveOf(sim)
    sim.time.run(10 * seconds)
    const [a, , , , victim] = nodes
    const alive = anAlive({
      node: 'e',
      ...(victim && { address: victim.address }),
      incarnation,
      meta: Uint8Array.of(6),
    })
    if (a !== undefined) inject(a, alive)
    sim.time.run(10 * seconds)
    expect(viewsOf(nodes)).toEqual(allAlive)
    for (const node of nodes) expect(memberOf(node, 'e')?.meta).toEqual(nothing)
  },
)

test.each([
  ['less than none', [0xff], [0x00], 'malformed'],
  ['a most negative number of', [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], [0x00], 'malformed'],
  ['four billion', [0xce, 0xff, 0xff, 0xff, 0xff], [0x00], 'tooLarge'],
  ['no', [0x00], [0xd2, 0xff, 0xff, 0xff, 0xff], 'malformed'],
  ['none, but a terabyte behind', [0x00], [0xcf, 0, 0, 1, 0, 0, 0, 0, 0], 'tooLarge'],
] as const)('a push/pull that tells %s nodes is refused at its header', (_, nodes, userState, reason) => {
  const lab = membershipLab()
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: attacker })
  const writer = createWriter()
  writer.verbatim(Uint8Array.of(messageType.pushPull, 0x83))
  for (const [key, value] of [
    ['Join', [0xc2]],
    ['Nodes', nodes],
    ['UserStateLen', userState],
  ] as const) {
    writer.text(key)
    writer.verbatim(Uint8Array.from(value))
  }
  const outputs = lab.feed({ kind: 'streamData', stream: 'in-1', bytes: writer.finish() })
  expect(outputs.map(({ kind }) => kind)).toEqual(['closeStream', 'refused'])
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ from: attacker, reason }])
})

test('a compound four deep is refused where it becomes too deep, the rest of the packet is read', () => {
  const lab = membershipLab()
  const alive = encodeMessage(anAlive({ node: 'm7' }))
  let deep = encodeMessage(anAlive({ node: 'm8' }))
  for (let i = 0; i < 3; i++) deep = encodeCompound([deep])
  const outputs = lab.feed({ kind: 'packetReceived', from: attacker, bytes: encodeCompound([deep, alive]) })
  expect(outputsOf(outputs, 'refused').map(({ reason }) => reason)).toEqual(['tooDeep'])
  expect(lab.machine.members().map(({ name }) => name)).toEqual(['m7', 'self'])
})

test('a packet that unfolds beyond its limit is refused before it is unfolded, many of them in one packet as well', () => {
  const lab = membershipLab()
  const bomb = compressed(new Uint8Array(100_000))
  const twoBombs = compressed(new Uint8Array(40_000))
  const packets = [bomb.slice(0, 65_000), encodeCompound([twoBombs, twoBombs].map(part => part.slice(0, 60_000)))]
  for (const bytes of packets) {
    const outputs = lab.feed({ kind: 'packetReceived', from: attacker, bytes })
    expect(outputs.length).toBeGreaterThan(0)
    expect(outputs.every(({ kind }) => kind === 'refused')).toBe(true)
  }
  expect(lab.machine.members()).toHaveLength(1)
})

test('of ten thousand forged names in gossip some hundred are taken, the rest refused and counted', slow, () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  const outputs = forgedNames(10_000).flatMap(alive => lab.hear(alive, attacker))
  expect(lab.machine.members().length).toBeLessThanOrEqual(128 + 1)
  expect(outputsOf(outputs, 'refused').every(({ reason }) => reason === 'tooManyNewNames')).toBe(true)
  expect(countRefused(outputs)).toBe(10_000 - 126)
  expect(lab.machine.stats().queueDepth).toBeLessThanOrEqual(129)
})

test('of two thousand forged names in one push/pull as well, and the refusals are told at once', slow, () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: attacker })
  const nodes = forgedNames(2_000).map(({ node, ...rest }): NodeState => ({ name: node, status: 'alive', ...rest }))
  const bytes = encodePushPull({ join: true, nodes, userState: nothing })
  const outputs = lab.feed({ kind: 'streamData', stream: 'in-1', bytes })
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ reason: 'tooManyNewNames', count: 2_000 - 126 }])
  expect(lab.machine.members().length).toBeLessThanOrEqual(128 + 1)
})

test('a push/pull that tells ten thousand names is refused before one is read', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: attacker })
  const nodes = forgedNames(10_000).map(({ node, ...rest }): NodeState => ({ name: node, status: 'alive', ...rest }))
  const bytes = encodePushPull({ join: true, nodes, userState: nothing })
  const outputs = lab.feed({ kind: 'streamData', stream: 'in-1', bytes })
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ reason: 'tooLarge' }])
  expect(lab.machine.members()).toHaveLength(3)
})

test('what we asked for ourselves is taken whole, but never more than the list may hold', slow, () => {
  const lab = membershipLab()
  lab.feed({ kind: 'join', addresses: [attacker] })
  lab.feed({ kind: 'streamConnected', stream: 'out-1' })
  const nodes = forgedNames(2_000).map(({ node, ...rest }): NodeState => ({ name: node, status: 'alive', ...rest }))
  const outputs = lab.feed({
    kind: 'streamData',
    stream: 'out-1',
    bytes: encodePushPull({ join: true, nodes, userState: nothing }),
  })
  expect(lab.machine.members()).toHaveLength(1_024)
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ reason: 'overflow', count: 2_000 - 1_023 }])
})

test('of a thousand streams that never say anything 128 are held, until their time is up', () => {
  const lab = membershipLab({ knows: ['m1'], answers: true })
  const outputs = Array.from({ length: 1_000 }, (_, i) =>
    lab.feed({ kind: 'streamAccepted', stream: `in-${i}`, from: attacker }),
  ).flat()
  expect(countRefused(outputs)).toBe(1_000 - 128)
  expect(outputsOf(outputs, 'closeStream')).toHaveLength(1_000 - 128)
  const later = lab.advance(10 * seconds)
  expect(outputsOf(later, 'refused').filter(({ reason }) => reason === 'timeout').length).toBeGreaterThan(0)
  expect(countRefused(later)).toBe(128)
  expect(lab.feed({ kind: 'streamAccepted', stream: 'honest', from: addressOf('m1') })).toEqual([])
})

test('from outside the allowed ranges nothing is heard, about places outside nothing is believed or sent', () => {
  const lab = membershipLab({ config: { allowedSources: ['10.0.0.0/24'] } })
  const reasons = (outputs: readonly Output[]): readonly string[] =>
    outputs.map(output => (output.kind === 'refused' ? output.reason : output.kind))
  expect(reasons(lab.hear(anAlive({ node: 'm1' }), attacker))).toEqual(['foreignSource'])
  expect(reasons(lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: attacker }))).toEqual([
    'foreignSource',
    'closeStream',
  ])
  expect(reasons(lab.hear(anAlive({ node: 'm1', address: attacker })))).toEqual(['foreignSource'])
  const source = { address: attacker, node: 'x' }
  expect(reasons(lab.hear({ kind: 'ping', seqNo: 1, node: '', source }))).toEqual(['foreignSource'])
  const indirect = { kind: 'indirectPing', seqNo: 1, node: 'x', target: attacker, wantsNack: false } as const
  expect(reasons(lab.hear(indirect))).toEqual(['foreignSource'])
  expect(reasons(lab.hear(anAlive({ node: 'm1' })))).toEqual(['memberChanged'])
})

test('a member that could talk with nobody is not believed, or every later push/pull would fail', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const versions = Uint8Array.of(5, 9, 9, 1, 1, 1)
  expect(lab.hear(anAlive({ node: 'm2', versions }), attacker)).toMatchObject([{ reason: 'incompatibleVersion' }])
  expect(lab.hear(anAlive({ node: 'm1', incarnation: 2, versions }), attacker)).toMatchObject([
    { reason: 'incompatibleVersion' },
  ])
})

test.each([1, 2])(
  'under a steady flood of forged names a real failure is still found, and only that (seed %i)',
  slow,
  seed => {
    const sim = createSimCluster(seed)
    const nodes = fiveOf(sim)
    sim.time.run(10 * seconds)
    const [, , , , victim] = nodes
    const survivors = nodes.slice(0, 4)
    let forged = 0
    const flood = (): void => {
      for (const [i, node] of survivors.entries())
        for (const alive of forgedNames(30, (forged += 30) + 1_000_000 * i)) inject(node, alive)
    }
    const floodFor = (forMs: number): void => {
      for (let ms = 0; ms < forMs; ms += 1_000) {
        flood()
        sim.time.run(1 * seconds)
      }
    }
    floodFor(25 * seconds)
    victim?.kill()
    floodFor(25 * seconds)
    for (const node of survivors) {
      expect(node.statusOf('e'), `${node.name} knows`).toBe('dead')
      expect(survivors.map(other => node.statusOf(other.name))).toEqual(['alive', 'alive', 'alive', 'alive'])
      expect(node.machine.members().length).toBeLessThanOrEqual(1_024)
      expect(node.machine.stats().queueDepth).toBeLessThanOrEqual(1_024)
      const accused = node.events.filter(
        ({ output }) =>
          output.kind === 'memberChanged' && output.member.status === 'dead' && 'abcd'.includes(output.member.name),
      )
      expect(accused).toEqual([])
    }
  },
)

const names = ['a', 'b', 'c', 'd', 'e']
const allAlive = names.map(() => names.map(name => `${name} alive`))

function fiveOf(sim: SimCluster, onOutput?: (output: Output) => void): readonly SimNode[] {
  const nodes = names.map(name => sim.start(name, onOutput === undefined ? {} : { onOutput }))
  const [first, ...others] = nodes
  for (const node of others) node.feed({ kind: 'join', addresses: first === undefined ? [] : [first.address] })
  return nodes
}

function viewsOf(nodes: readonly SimNode[]): readonly (readonly string[])[] {
  return nodes.map(node => node.machine.members().map(({ name, status }) => `${name} ${status}`))
}

function memberOf(node: SimNode, name: string) {
  return node.machine.members().find(member => member.name === name)
}

function inject(node: SimNode, message: PacketMessage): void {
  node.feed({ kind: 'packetReceived', from: attacker, bytes: encodeMessage(message) })
}

/** Each at a place of its own where nobody is. */
function forgedNames(count: number, from = 0) {
  return Array.from({ length: count }, (_, i) => {
    const number = from + i
    const address = { ip: `10.7.${(number >> 8) & 255}.${number & 255}`, port: 7_946 }
    return anAlive({ node: `forged-${number}`, address, incarnation: 1 + (number % 5) })
  })
}

function countRefused(outputs: readonly Output[]): number {
  return outputsOf(outputs, 'refused').reduce((sum, { count = 1 }) => sum + count, 0)
}

function compressed(plain: Uint8Array): Uint8Array {
  const writer = createWriter()
  writeStruct(writer, [
    ['Algo', 0],
    ['Buf', literalLzw(plain)],
  ])
  return concatBytes([Uint8Array.of(messageType.compressed), writer.finish()])
}
