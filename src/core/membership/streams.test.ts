/** Push/pull from both sides, joining, and streams that misbehave. */
import { expect, test } from 'vitest'
import { utf8 } from '../../kernel/bytes.ts'
import { formatAddress } from '../../kernel/units.ts'
import { addressOf, anAlive, membershipLab, outputsOf } from '../../testing/membership-lab.ts'
import type { MembershipLab } from '../../testing/membership-lab.ts'
import { membershipProfiles } from './profiles.ts'
import type { NodeState, PushPull } from './messages.ts'
import { createStreamDecoder, encodePushPull, encodeStreamError, encodeStreamUser } from './stream-codec.ts'
import type { MemberStatus, Output } from './types.ts'

const nothing = new Uint8Array(0)
const seed = addressOf('m1')

test('joining sends our whole state, takes in theirs and tells how it went', () => {
  const lab = membershipLab({ localState: utf8('ours') })
  const stream = dialled(lab.feed({ kind: 'join', addresses: [seed] }))
  const [written] = outputsOf(lab.feed({ kind: 'streamConnected', stream }), 'writeStream')
  expect(decoded(written?.bytes)).toMatchObject({ join: true, nodes: [{ name: 'self' }], userState: utf8('ours') })

  const reply = encodePushPull({ join: false, nodes: [node('m1'), node('m2')], userState: utf8('theirs') })
  const outputs = lab.feed({ kind: 'streamData', stream, bytes: reply })
  expect(outputs.filter(({ kind }) => kind !== 'memberChanged')).toEqual([
    { kind: 'closeStream', stream },
    { kind: 'remoteState', from: seed, bytes: utf8('theirs'), join: false },
    { kind: 'pushPullFinished', with: seed, ok: true },
    { kind: 'joinFinished', address: seed, ok: true },
  ])
  expect(lab.machine.members().map(({ name }) => name)).toEqual(['m1', 'm2', 'self'])
})

test('the reply may come in any pieces', () => {
  const lab = membershipLab()
  const stream = dialled(lab.feed({ kind: 'join', addresses: [seed] }))
  lab.feed({ kind: 'streamConnected', stream })
  const reply = encodePushPull({ join: false, nodes: [node('m1')], userState: nothing })
  const outputs = [...reply].flatMap(byte => lab.feed({ kind: 'streamData', stream, bytes: Uint8Array.of(byte) }))
  expect(outputsOf(outputs, 'joinFinished')).toMatchObject([{ ok: true }])
})

test('who joins us gets our state as it was before we took in theirs', () => {
  const lab = membershipLab({ knows: ['m5'], localState: utf8('ours') })
  const outputs = offered(lab, { kind: 'pushPull', join: true, nodes: [node('m1')], userState: utf8('theirs') })
  const [written] = outputsOf(outputs, 'writeStream')
  expect(decoded(written?.bytes)).toMatchObject({ nodes: [{ name: 'self' }, { name: 'm5' }], userState: utf8('ours') })
  expect(outputs.map(({ kind }) => kind)).toEqual([
    'writeStream',
    'closeStream',
    'memberChanged',
    'remoteState',
    'pushPullFinished',
  ])
  expect(lab.member('m1')?.status).toBe('alive')
})

test.each([
  { remote: 'alive', becomes: 'alive' },
  { remote: 'suspect', becomes: 'suspect' },
  { remote: 'dead', becomes: 'suspect' },
  { remote: 'left', becomes: 'left' },
] as const)('a known member that is $remote for a peer becomes $becomes for us', ({ remote, becomes }) => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  offered(lab, { kind: 'pushPull', join: false, nodes: [node('m2', remote)], userState: nothing })
  expect(lab.member('m2')?.status).toBe(becomes)
})

test('a peer that speaks another application version is told why, and nothing of it is taken', () => {
  const lab = membershipLab()
  const foreign = { ...node('m1'), versions: Uint8Array.of(1, 5, 2, 2, 5, 4) }
  const outputs = offered(lab, { kind: 'pushPull', join: true, nodes: [foreign], userState: utf8('state') })
  const reason = 'self speaks application version 1, all support none in common'
  expect(outputsOf(outputs, 'writeStream').map(({ bytes }) => bytes)).toEqual([encodeStreamError(reason)])
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ reason: 'incompatibleVersion' }])
  expect(outputsOf(outputs, 'pushPullFinished')).toMatchObject([{ ok: false, reason }])
  expect(lab.machine.members()).toHaveLength(1)
})

test.each(['m5', 'self'])('a peer that calls itself %s, while that is alive elsewhere, is kept out whole', name => {
  const lab = membershipLab({ knows: ['m5'] })
  const impostor = { ...node(name), address: seed, incarnation: 9 }
  const outputs = offered(lab, { kind: 'pushPull', join: true, nodes: [impostor], userState: utf8('state') })
  const known = lab.member(name)?.address ?? seed
  const reason = `the name ${name} belongs to ${formatAddress(known)}, which is alive; give this node another name`
  expect(outputsOf(outputs, 'writeStream').map(({ bytes }) => bytes)).toEqual([encodeStreamError(reason)])
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ reason: 'nameTaken' }])
  expect(outputsOf(outputs, 'nameConflict')).toMatchObject([{ name, known, other: seed }])
  expect(outputsOf(outputs, 'remoteState')).toEqual([])
  expect(known).not.toEqual(seed)
})

test.each([
  { what: 'whose old address no longer answers', name: 'm5', isSuspect: true, at: seed },
  { what: 'that tells of somebody who moved', name: 'm5', isSuspect: false, at: addressOf('m9') },
  { what: 'that is where we know it', name: 'm1', isSuspect: false, at: seed },
])('a peer $what is heard', ({ name, isSuspect, at }) => {
  const lab = membershipLab({ knows: ['m1', 'm5'] })
  if (isSuspect) lab.hear({ kind: 'suspect', node: name, incarnation: 1, from: 'm1' })
  const nodes = [{ ...node(name), address: at }]
  const outputs = offered(lab, { kind: 'pushPull', join: true, nodes, userState: utf8('state') })
  expect(outputsOf(outputs, 'remoteState')).toHaveLength(1)
})

test.each([
  {
    what: 'the peer refuses',
    answer: (lab: MembershipLab, stream: string) =>
      lab.feed({ kind: 'streamData', stream, bytes: encodeStreamError('no') }),
    reason: 'refused by the peer: no',
  },
  {
    what: 'nobody is there',
    answer: (lab: MembershipLab, stream: string) =>
      lab.feed({ kind: 'streamClosed', stream, reason: 'connection refused' }),
    reason: 'connection refused',
  },
  {
    what: 'the stream ends early',
    answer: (lab: MembershipLab, stream: string) => lab.feed({ kind: 'streamClosed', stream }),
    reason: 'the stream ended early',
  },
  {
    what: 'nothing comes',
    answer: (lab: MembershipLab) => lab.advance(10_000),
    reason: 'no end after 10000 ms',
  },
  {
    what: 'the answer is something else',
    answer: (lab: MembershipLab, stream: string) =>
      lab.feed({ kind: 'streamData', stream, bytes: encodeStreamUser(utf8('hello')) }),
    reason: 'streamUser as an answer',
  },
])('a join fails with its reason when $what', ({ answer, reason }) => {
  const lab = membershipLab()
  const stream = dialled(lab.feed({ kind: 'join', addresses: [seed] }))
  lab.feed({ kind: 'streamConnected', stream })
  const outputs = answer(lab, stream)
  expect(outputsOf(outputs, 'joinFinished')).toEqual([{ kind: 'joinFinished', address: seed, ok: false, reason }])
  expect(outputsOf(outputs, 'pushPullFinished')).toMatchObject([{ ok: false, reason }])
  expect(lab.feed({ kind: 'streamClosed', stream })).toEqual([])
})

test('every address of a join gets its own outcome, our own among them', () => {
  const lab = membershipLab({ config: { outboundStreamsMax: 1 } })
  const addresses = [lab.member('self')?.address ?? seed, addressOf('m1'), addressOf('m2')]
  const outcomes = outputsOf(lab.feed({ kind: 'join', addresses }), 'joinFinished')
  expect(outcomes.map(({ reason }) => reason)).toEqual(['this is our own address', 'too many streams are open'])
})

test('one random live member is offered a push/pull every interval', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true })
  const offers = outputsOf(lab.advance(90_000), 'dialStream')
  expect(offers).toHaveLength(3)
  for (const { to } of offers) expect([addressOf('m1'), addressOf('m2')]).toContainEqual(to)
})

test('a stream that never finishes is closed at its deadline', () => {
  const lab = membershipLab()
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: seed })
  lab.feed({ kind: 'streamData', stream: 'in-1', bytes: Uint8Array.of(6, 0x83) })
  expect(outputsOf(lab.advance(9_999), 'closeStream')).toEqual([])
  const outputs = lab.advance(1)
  expect(outputsOf(outputs, 'closeStream')).toEqual([{ kind: 'closeStream', stream: 'in-1' }])
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ from: seed, reason: 'timeout' }])
})

test('beyond the limit inbound streams are closed unanswered until others have ended', () => {
  const lab = membershipLab({ config: { inboundStreamsMax: 2 } })
  const accept = (stream: string) => lab.feed({ kind: 'streamAccepted', stream, from: seed }).map(({ kind }) => kind)
  expect(['in-1', 'in-2', 'in-3'].map(accept)).toEqual([[], [], ['refused', 'closeStream']])
  lab.feed({ kind: 'streamClosed', stream: 'in-1' })
  expect(accept('in-4')).toEqual([])
})

test('a user message on a stream reaches the application', () => {
  const lab = membershipLab()
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: seed })
  expect(lab.feed({ kind: 'streamData', stream: 'in-1', bytes: encodeStreamUser(utf8('hello')) })).toEqual([
    { kind: 'userMessage', from: seed, bytes: utf8('hello'), via: 'stream' },
    { kind: 'closeStream', stream: 'in-1' },
  ])
})

test.each([
  { what: 'an error', bytes: encodeStreamError('no'), reason: 'malformed' },
  { what: 'an unknown type', bytes: Uint8Array.of(99), reason: 'unknownType' },
])('a stream that opens with $what is refused and closed', ({ bytes, reason }) => {
  const lab = membershipLab()
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: seed })
  const outputs = lab.feed({ kind: 'streamData', stream: 'in-1', bytes })
  expect(outputsOf(outputs, 'refused')).toMatchObject([{ reason }])
  expect(outputsOf(outputs, 'closeStream')).toHaveLength(1)
})

test('some are told over TCP: as many as asked for, of those named, the suspected too, and never ourselves', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3', 'm4', 'm5'] })
  lab.hear({ kind: 'suspect', incarnation: 1, node: 'm2', from: 'm1' })
  lab.hear({ kind: 'dead', incarnation: 1, node: 'm3', from: 'm1' })
  const tell = (among: readonly string[], count: number): readonly string[] =>
    outputsOf(lab.feed({ kind: 'sendToSome', among, count, message: utf8('news') }), 'dialStream').map(
      ({ to }) => to.ip,
    )
  expect([...tell(['m1', 'm2', 'm3', 'stranger', 'self'], 8)].sort()).toEqual(['10.0.0.1', '10.0.0.2'])
  const two = tell(['m1', 'm2', 'm4', 'm5'], 2)
  expect(new Set(two).size).toBe(2)
})

test('data on a stream nobody knows is nobody’s', () => {
  const lab = membershipLab()
  expect(lab.feed({ kind: 'streamData', stream: 'in-9', bytes: Uint8Array.of(6) })).toEqual([])
  expect(lab.feed({ kind: 'streamConnected', stream: 'out-9' })).toEqual([])
})

function node(name: string, status: MemberStatus = 'alive'): NodeState {
  const { address, meta } = anAlive({ node: name })
  return { name, address, meta, incarnation: 1, status, versions: Uint8Array.from(membershipProfiles.tailnet.versions) }
}

function dialled(outputs: readonly Output[]): string {
  return outputsOf(outputs, 'dialStream')[0]?.stream ?? 'nothing was dialled'
}

function offered(lab: MembershipLab, remote: PushPull): readonly Output[] {
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: seed })
  return lab.feed({ kind: 'streamData', stream: 'in-1', bytes: encodePushPull(remote) })
}

function decoded(bytes: Uint8Array = nothing): unknown {
  const result = createStreamDecoder().push(bytes)
  return result.ok ? result.value : result.error
}
