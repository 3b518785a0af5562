import { expect, test } from 'vitest'
import { addressOf, anAlive, membershipLab, outputsOf, ourAddress, sentOf } from '../../testing/membership-lab.ts'
import type { MembershipLab } from '../../testing/membership-lab.ts'
import { encodeMessage } from './codec.ts'
import { formatAddress } from '../../kernel/units.ts'
import { encodePushPull } from './stream-codec.ts'
import type { Output } from './types.ts'

const nothing = new Uint8Array(0)
const us = { address: ourAddress, node: 'self' }

test('every member is probed once per walk, in an order that changes', () => {
  const names = Array.from({ length: 8 }, (_, i) => `m${i + 1}`)
  const lab = membershipLab({ knows: names, answers: true, config: { strangersPerWalkMin: 8 } })
  const walks = [1, 2].map(() => sentOf(lab.advance(8_000), 'ping').map(({ node }) => node))
  for (const walk of walks) expect(walk.toSorted()).toEqual(names.toSorted())
  expect(walks[0]).not.toEqual(walks[1])
})

test('a probe says whom it means and where to answer', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const [ping] = sentOf(lab.advance(1_000), 'ping')
  expect(ping).toMatchObject({ to: formatAddress(addressOf('m1')), node: 'm1', source: us })
})

test('an answer in time ends the round, and improves our opinion of ourselves', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.hear({ kind: 'suspect', node: 'self', incarnation: 1, from: 'm2' })
  expect(lab.machine.stats().healthScore).toBe(1)
  const { seqNo } = firstPing(lab)
  lab.hear({ kind: 'ack', seqNo, payload: nothing })
  expect(lab.machine.stats().healthScore).toBe(0)
  expect(sentOf(lab.advance(900), 'indirectPing')).toEqual([])
})

test('after the timeout three others are asked under the same number, and TCP is tried beside them', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3', 'm4', 'm5'] })
  const { seqNo, node } = firstPing(lab)
  const outputs = lab.advance(500)
  const asked = sentOf(outputs, 'indirectPing')
  expect(new Set(asked.map(({ to }) => to)).size).toBe(3)
  for (const request of asked) {
    expect(request).toMatchObject({ seqNo, node, target: addressOf(node), wantsNack: true, source: us })
    expect(request.to).not.toBe(formatAddress(addressOf(node)))
  }
  expect(outputsOf(outputs, 'dialStream')).toMatchObject([{ to: addressOf(node) }])
})

test('a peer of protocol 3 is not asked for a nack, and one of protocol 2 is not tried over TCP', () => {
  const lab = membershipLab({ config: { pushPullIntervalMs: 600_000, reconnectIntervalMs: 600_000 } })
  lab.hear(anAlive({ node: 'm1', versions: Uint8Array.of(1, 3, 2, 1, 1, 1) }))
  lab.hear(anAlive({ node: 'm2', versions: Uint8Array.of(1, 2, 2, 1, 1, 1) }))
  const outputs = lab.advance(3_000)
  expect(sentOf(outputs, 'indirectPing').length).toBeGreaterThan(0)
  expect(sentOf(outputs, 'indirectPing').map(({ wantsNack }) => wantsNack)).not.toContain(true)
  const dialled = outputsOf(outputs, 'dialStream').map(({ to }) => to.ip)
  expect(dialled).toContain(addressOf('m1').ip)
  expect(dialled).not.toContain(addressOf('m2').ip)
})

test('an answer through others ends the round well', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  const { seqNo, node } = firstPing(lab)
  lab.advance(700)
  lab.hear({ kind: 'ack', seqNo, payload: nothing }, addressOf('m2'))
  lab.advance(400)
  expect(lab.member(node)?.status).toBe('alive')
})

test('without any answer the member is suspected when the interval ends, not before', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  const { node } = firstPing(lab)
  lab.advance(999)
  expect(lab.member(node)?.status).toBe('alive')
  lab.advance(1)
  expect(lab.member(node)?.status).toBe('suspect')
  expect(lab.machine.stats()).toMatchObject({ probeFailures: 1, suspicions: 1 })
})

test.each([
  { nacks: 0, healthScore: 3 },
  { nacks: 2, healthScore: 1 },
  { nacks: 3, healthScore: 0 },
])('with $nacks of 3 nacks a failed probe costs us $healthScore points', ({ nacks, healthScore }) => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3', 'm4'] })
  for (const name of ['m1', 'm2', 'm3', 'm4']) meet(lab, name)
  const { seqNo } = firstPing(lab)
  lab.advance(600)
  for (let i = 0; i < nacks; i++) lab.hear({ kind: 'nack', seqNo })
  lab.advance(399)
  expect(lab.machine.stats().healthScore).toBe(0)
  lab.advance(1)
  expect(lab.machine.stats().healthScore).toBe(healthScore)
})

test('the silence of a member that never answered us says nothing about our own health', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3', 'm4'] })
  firstPing(lab)
  lab.advance(1_000)
  expect(lab.machine.stats()).toMatchObject({ probeFailures: 1, healthScore: 0 })
})

test('from a helper that never answered us no nack is missed', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3', 'm4'], config: { strangersPerWalkMin: 0 } })
  meet(lab, 'm1')
  firstPing(lab)
  lab.advance(1_000)
  expect(lab.machine.stats()).toMatchObject({ probeFailures: 1, healthScore: 1 })
})

test('those who answered are asked for help before those who never did', () => {
  const names = Array.from({ length: 30 }, (_, i) => `m${i + 1}`)
  const lab = membershipLab({ knows: names })
  const known = ['m3', 'm14', 'm15', 'm29']
  for (const name of known) meet(lab, name)
  const { node } = firstPing(lab)
  const asked = sentOf(lab.advance(500), 'indirectPing').map(({ to }) => to)
  const helpers = known.filter(name => name !== node).map(name => formatAddress(addressOf(name)))
  expect(asked).toHaveLength(3)
  expect(asked.every(to => helpers.includes(to))).toBe(true)
})

test('however many never answered, a walk of the others takes no more than twice its time', () => {
  const names = Array.from({ length: 100 }, (_, i) => `m${i + 1}`)
  const lab = membershipLab({ knows: names, config: { newNamesMin: 100 } })
  const known = names.slice(0, 20)
  for (const name of known) meet(lab, name)
  const answering = (outputs: readonly Output[]): string[] =>
    sentOf(outputs, 'ping').flatMap(({ seqNo, node }) => {
      if (known.includes(node)) lab.hear({ kind: 'ack', seqNo, payload: nothing }, addressOf(node))
      return known.includes(node) ? [node] : []
    })
  const probed = new Set<string>()
  // The health score stretches the rounds of those that fail; here only their number matters.
  for (let rounds = 0; rounds < 8 + 20 + 40;) {
    const outputs = lab.advance(1)
    rounds += sentOf(outputs, 'ping').length
    for (const name of answering(outputs)) probed.add(name)
  }
  expect(probed.size).toBe(20)
})

test('contact over TCP saves the member at the end of the round', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const { seqNo, node } = firstPing(lab)
  const [dialled] = outputsOf(lab.advance(500), 'dialStream')
  const stream = dialled?.stream ?? 'none'
  const [written] = outputsOf(lab.feed({ kind: 'streamConnected', stream }), 'writeStream')
  expect(written?.bytes).toEqual(encodeMessage({ kind: 'ping', seqNo, node, source: us }))
  const ended = lab.feed({ kind: 'streamData', stream, bytes: encodeMessage({ kind: 'ack', seqNo, payload: nothing }) })
  expect(ended).toEqual([{ kind: 'closeStream', stream }])
  lab.advance(600)
  expect(lab.member(node)?.status).toBe('alive')
})

test('the attempt over TCP is given up with the round', () => {
  const lab = membershipLab({ knows: ['m1'] })
  firstPing(lab)
  const [dialled] = outputsOf(lab.advance(500), 'dialStream')
  const closed = outputsOf(lab.advance(500), 'closeStream').map(({ stream }) => stream)
  expect(closed).toEqual([dialled?.stream])
})

test('when the network says nobody is there, others are asked without waiting', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  const { node } = firstPing(lab)
  expect(lab.feed({ kind: 'packetUndeliverable', to: addressOf('m9') })).toEqual([])
  const outputs = lab.feed({ kind: 'packetUndeliverable', to: addressOf(node) })
  expect(sentOf(outputs, 'indirectPing')).toHaveLength(1)
  expect(lab.feed({ kind: 'packetUndeliverable', to: addressOf(node) })).toEqual([])
})

test('a suspect is told so together with the ping', () => {
  const lab = membershipLab({ knows: ['m1'] })
  lab.hear({ kind: 'suspect', node: 'm1', incarnation: 1, from: 'm2' })
  lab.advance(10)
  const outputs = lab.advance(1_000)
  const packet = outputsOf(outputs, 'sendPacket').find(output => sentOf([output], 'ping').length > 0)
  expect(sentOf(packet === undefined ? [] : [packet], 'suspect')).toContainEqual(
    expect.objectContaining({ node: 'm1', incarnation: 1, from: 'self' }),
  )
})

test('a member that refuted while its probe ran is not accused on old grounds', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  const { node } = firstPing(lab)
  lab.advance(900)
  lab.hear(anAlive({ node, incarnation: 2 }))
  lab.advance(100)
  expect(lab.member(node)?.status).toBe('alive')
})

test('our bad health stretches the round, and missed rounds are dropped', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  for (const incarnation of [1, 2]) lab.hear({ kind: 'suspect', node: 'self', incarnation, from: 'm2' })
  expect(lab.machine.stats().healthScore).toBe(2)
  const { node } = firstPing(lab)
  expect(sentOf(lab.advance(2_999), 'ping')).toEqual([])
  expect(lab.member(node)?.status).toBe('alive')
  expect(sentOf(lab.advance(1), 'ping')).toHaveLength(1)
  expect(lab.member(node)?.status).toBe('suspect')
})

test('a ping for us is answered where it says; one for another name is not', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const source = { address: addressOf('m7'), node: 'm7' }
  const answered = lab.hear({ kind: 'ping', seqNo: 9, node: 'self', source }, addressOf('m1'))
  expect(sentOf(answered, 'ack')).toMatchObject([{ seqNo: 9, to: formatAddress(addressOf('m7')) }])
  const plain = lab.hear({ kind: 'ping', seqNo: 10, node: '' }, addressOf('m1'))
  expect(sentOf(plain, 'ack')).toMatchObject([{ seqNo: 10, to: formatAddress(addressOf('m1')) }])
  expect(lab.hear({ kind: 'ping', seqNo: 11, node: 'predecessor' })).toEqual([])
})

test.each([
  { held: 'suspect', accusation: { kind: 'suspect', node: 'm1', from: 'self' } },
  { held: 'dead', accusation: { kind: 'dead', node: 'm1', from: 'self' } },
  { held: 'left', accusation: { kind: 'dead', node: 'm1', from: 'm1' } },
])('a member we hold for $held hears it with our answer to its ping', ({ held, accusation }) => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  if (held === 'suspect') lab.hear({ kind: 'suspect', node: 'm1', incarnation: 1, from: 'm2' })
  else lab.hear({ kind: 'dead', node: 'm1', incarnation: 1, from: held === 'left' ? 'm1' : 'm2' })
  const source = { address: addressOf('m1'), node: 'm1' }
  const packets = lab.hear({ kind: 'ping', seqNo: 3, node: 'self', source })
  const told = [...sentOf(packets, 'suspect'), ...sentOf(packets, 'dead')]
  expect(told).toContainEqual(expect.objectContaining(accusation))
})

test('a ping on a stream is answered there', () => {
  const lab = membershipLab()
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: addressOf('m1') })
  const bytes = encodeMessage({ kind: 'ping', seqNo: 4, node: 'self' })
  expect(lab.feed({ kind: 'streamData', stream: 'in-1', bytes })).toEqual([
    { kind: 'writeStream', stream: 'in-1', bytes: encodeMessage({ kind: 'ack', seqNo: 4, payload: nothing }) },
    { kind: 'closeStream', stream: 'in-1' },
  ])
})

test('asked for it we ping a third member and hand its answer back under the asker’s number', () => {
  const lab = membershipLab()
  const [ping] = sentOf(askUs(lab, true), 'ping')
  expect(ping).toMatchObject({ to: formatAddress(addressOf('m3')), node: 'm3', source: us })
  const back = lab.hear({ kind: 'ack', seqNo: ping?.seqNo ?? 0, payload: nothing }, addressOf('m3'))
  expect(sentOf(back, 'ack')).toMatchObject([{ to: formatAddress(addressOf('m2')), seqNo: 77 }])
  expect(lab.hear({ kind: 'ack', seqNo: ping?.seqNo ?? 0, payload: nothing }, addressOf('m3'))).toEqual([])
  expect(sentOf(lab.advance(2_000), 'nack')).toEqual([])
})

test.each([
  { wantsNack: true, nacks: [77] },
  { wantsNack: false, nacks: [] },
])('a third member’s silence is reported while the asker still waits, if it wants to know: $wantsNack', asked => {
  const lab = membershipLab()
  askUs(lab, asked.wantsNack)
  expect(sentOf(lab.advance(399), 'nack')).toEqual([])
  expect(sentOf(lab.advance(1), 'nack').map(({ seqNo }) => seqNo)).toEqual(asked.nacks)
  expect(sentOf(lab.advance(2_000), 'nack')).toEqual([])
})

test.each([
  { afterMs: 499, acks: [77] },
  { afterMs: 500, acks: [] },
])('an answer $afterMs ms late, behind our nack, is handed back while the asker may wait', ({ afterMs, acks }) => {
  const lab = membershipLab()
  const [ping] = sentOf(askUs(lab, true), 'ping')
  lab.advance(afterMs)
  const back = lab.hear({ kind: 'ack', seqNo: ping?.seqNo ?? 0, payload: nothing }, addressOf('m3'))
  expect(sentOf(back, 'ack').map(({ seqNo }) => seqNo)).toEqual(acks)
})

test('no more than the limit is done for others at once', () => {
  const lab = membershipLab({ config: { relaysMax: 2 } })
  const results = [1, 2, 3].map(() => askUs(lab, false))
  expect(results.map(outputs => outputsOf(outputs, 'refused').length)).toEqual([0, 0, 1])
  lab.advance(500)
  expect(outputsOf(askUs(lab, false), 'refused')).toEqual([])
})

function askUs(lab: MembershipLab, wantsNack: boolean): readonly Output[] {
  const source = { address: addressOf('m2'), node: 'm2' }
  return lab.hear({ kind: 'indirectPing', seqNo: 77, target: addressOf('m3'), node: 'm3', wantsNack, source })
}

/** It spoke with us over a connection of its own. */
function meet(lab: MembershipLab, name: string): void {
  lab.feed({ kind: 'streamAccepted', stream: name, from: { ...addressOf(name), port: 50_000 } })
  lab.feed({
    kind: 'streamData',
    stream: name,
    bytes: encodePushPull({ join: false, nodes: [], userState: nothing }),
  })
}

/** Goes on to the moment at which the first probe leaves. */
function firstPing(lab: MembershipLab) {
  for (;;) {
    const due = lab.machine.nextDeadline() ?? 0
    const [ping] = sentOf(lab.advance(due - lab.now), 'ping')
    if (ping !== undefined) return ping
  }
}
