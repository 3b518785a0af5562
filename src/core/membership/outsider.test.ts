/** What somebody outside the cluster must not be able to use up or stand in the way of, though packets are in clear. */
import { expect, test } from 'vitest'
import type { Address } from '../../kernel/units.ts'
import { addressOf, anAlive, membershipLab, outputsOf, sent, sentOf } from '../../testing/membership-lab.ts'
import type { MembershipLab } from '../../testing/membership-lab.ts'
import type { NodeState, PacketMessage } from './messages.ts'
import { encodePushPull } from './stream-codec.ts'
import type { Output } from './types.ts'

const outsider: Address = { ip: '10.66.6.6', port: 6_666 }
const nothing = new Uint8Array(0)

test('two forged members that could not talk with each other end no push/pull of ours', () => {
  const lab = membershipLab({ knows: ['m1'] })
  // We could talk with either.
  lab.hear(anAlive({ node: 'm8', versions: Uint8Array.of(1, 2, 2, 1, 1, 1) }), outsider)
  lab.hear(anAlive({ node: 'm9', versions: Uint8Array.of(1, 5, 5, 1, 1, 1) }), outsider)
  expect(lab.machine.members()).toHaveLength(4)
  const outputs = pushedBy(lab, 'm1')
  expect(outputsOf(outputs, 'pushPullFinished')).toMatchObject([{ ok: true }])
})

test.each<readonly [string, (seqNo: number) => PacketMessage]>([
  ['pings', seqNo => ({ kind: 'ping', seqNo, node: 'self' })],
  ['pings in the name of a member', seqNo => ({ kind: 'ping', seqNo, node: 'self', source: sourceOf('m1') })],
  [
    'pings on behalf of nobody',
    seqNo => ({ kind: 'indirectPing', seqNo, node: 'x', target: outsider, wantsNack: false }),
  ],
])('%s use up no news, however many there are', (_, ask) => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true })
  lab.advance(20_000)
  lab.feed({ kind: 'broadcast', name: 'news', message: Uint8Array.of(7) })
  const answers = Array.from({ length: 100 }, (__, seqNo) => lab.hear(ask(seqNo), outsider)).flat()
  expect(sent(answers)).toHaveLength(100)
  expect(sentOf(answers, 'user')).toEqual([])
  expect(new Set(sentOf(lab.advance(5_000), 'user').map(({ to }) => to)).size).toBe(2)
})

test('a node that joins over a connection of its own gets in although forged names have used up the budget', () => {
  const lab = floodedLab()
  lab.hear(anAlive({ node: 'm77' }), outsider)
  expect(lab.member('m77')).toBeUndefined()
  pushedBy(lab, 'm77')
  expect(lab.member('m77')).toMatchObject({ status: 'alive' })
})

test('from one place only one name gets in that way', () => {
  const lab = floodedLab()
  const twin = anAlive({ node: 'twin', address: { ...addressOf('m77'), port: 1_234 } })
  pushedBy(lab, 'm77', [twin])
  pushedBy(lab, 'm77', [{ ...twin, node: 'triplet' }])
  expect(lab.member('m77')?.status).toBe('alive')
  expect(lab.member('twin') ?? lab.member('triplet')).toBeUndefined()
})

test('names that nobody answers for are no voices to wait for: a suspicion lasts as long as without them', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  for (const name of ['m1', 'm2']) pushedBy(lab, name)
  for (let i = 0; i < 60; i++) lab.hear(forged(i), outsider)
  lab.hear({ kind: 'suspect', node: 'm1', incarnation: 1, from: 'm2' })
  lab.advance(7_195)
  expect(lab.member('m1')?.status).toBe('suspect')
  // The least for 63 members.
  lab.advance(1)
  expect(lab.member('m1')?.status).toBe('dead')
})

test('a message for every member goes to those first who are sure to be there', () => {
  const lab = membershipLab({ answers: true, knows: ['m1', 'm2', 'm3'], config: { outboundStreamsMax: 8 } })
  lab.advance(20_000)
  for (let i = 0; i < 60; i++) lab.hear(forged(i), outsider)
  const outputs = lab.feed({ kind: 'broadcastReliably', message: nothing })
  const dialled = outputsOf(outputs, 'dialStream').map(({ to }) => to.ip)
  expect(dialled.slice(0, 3).sort()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
})

test('all streams of others together hold no more than their budget of memory', () => {
  const lab = membershipLab({ config: { inboundBytesMax: 1_000_000 } })
  const begin = Uint8Array.of(8, 0x81, 0xaa, ...new TextEncoder().encode('UserMsgLen'), 0xce, 0, 0x30, 0, 0)
  const open = (stream: string): readonly Output[] => {
    lab.feed({ kind: 'streamAccepted', stream, from: outsider })
    return [begin, new Uint8Array(300_000)].flatMap(bytes => lab.feed({ kind: 'streamData', stream, bytes }))
  }
  const outputs = ['a', 'b', 'c', 'd', 'e'].flatMap(open)
  expect(outputsOf(outputs, 'closeStream').map(({ stream }) => stream)).toEqual(['d', 'e'])
  expect(outputsOf(outputs, 'refused').map(({ reason }) => reason)).toEqual(['overflow', 'overflow'])
  lab.feed({ kind: 'streamClosed', stream: 'a' })
  expect(open('f')).toEqual([])
})

function sourceOf(node: string): { readonly address: Address; readonly node: string } {
  return { address: addressOf(node), node }
}

function forged(i: number): ReturnType<typeof anAlive> {
  return anAlive({ node: `forged-${i}`, address: { ip: `10.7.0.${i}`, port: 7_946 } })
}

/** No new name is taken from anybody for now. */
function floodedLab(): MembershipLab {
  const lab = membershipLab({ knows: ['m1'] })
  for (let i = 0; i < 128; i++) lab.hear(forged(i), outsider)
  return lab
}

/** A push/pull that this member begins, over a connection from its own ip. It lists itself and what else it is told to. */
function pushedBy(
  lab: MembershipLab,
  name: string,
  others: readonly ReturnType<typeof anAlive>[] = [],
): readonly Output[] {
  const nodes = [anAlive({ node: name }), ...others].map(({ node, ...rest }): NodeState => ({
    name: node,
    status: 'alive',
    ...rest,
  }))
  lab.feed({ kind: 'streamAccepted', stream: `from-${name}`, from: { ip: addressOf(name).ip, port: 50_000 } })
  const bytes = encodePushPull({ join: true, nodes, userState: nothing })
  return lab.feed({ kind: 'streamData', stream: `from-${name}`, bytes })
}
