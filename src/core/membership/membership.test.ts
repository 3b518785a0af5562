/** The machine as a whole: its life from start to leave, what it queues, and how it treats its own standstill. */
import { expect, test } from 'vitest'
import { textOf, utf8 } from '../../kernel/bytes.ts'
import { formatAddress } from '../../kernel/units.ts'
import { createPrng } from '../../kernel/prng.ts'
import { addressOf, anAlive, membershipLab, outputsOf, ourAddress, sent, sentOf } from '../../testing/membership-lab.ts'
import { decodePacket } from './codec.ts'
import { membershipProfiles } from './profiles.ts'
import { createMembership } from './membership.ts'

test('before the start nothing is due, packets are dropped and streams closed', () => {
  const settings = { name: 'self', address: ourAddress, meta: new Uint8Array(0), config: membershipProfiles.tailnet }
  const machine = createMembership(settings, { localState: () => new Uint8Array(0) }, createPrng(1))
  const from = addressOf('m1')
  expect(machine.nextDeadline()).toBeUndefined()
  expect(machine.step({ kind: 'packetReceived', now: 1, from, bytes: Uint8Array.of(0) })).toEqual([])
  expect(machine.step({ kind: 'streamAccepted', now: 1, stream: 'in-1', from })).toEqual([
    { kind: 'closeStream', stream: 'in-1' },
  ])
  expect(() => machine.step({ kind: 'leave', now: 1 })).toThrow('leave comes after started')
  expect(machine.step({ kind: 'started', now: 5 })).toMatchObject([
    { kind: 'memberChanged', previous: undefined, member: { name: 'self', incarnation: 1, statusSince: 5 } },
  ])
  expect(machine.nextDeadline()).toBeLessThan(5 + 200)
})

test('new metadata raises our incarnation and is told; the same again is not news', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const meta = Uint8Array.of(1, 2)
  expect(lab.feed({ kind: 'metaChanged', meta })).toMatchObject([
    { kind: 'memberChanged', previous: 'alive', member: { name: 'self', incarnation: 2, meta } },
  ])
  expect(lab.feed({ kind: 'metaChanged', meta })).toEqual([])
  expect(sentOf(lab.advance(300), 'alive')).toContainEqual(
    expect.objectContaining({ node: 'self', incarnation: 2, meta }),
  )
  expect(() => lab.feed({ kind: 'metaChanged', meta: new Uint8Array(513) })).toThrow('protocol limit')
})

test('an application broadcast leaves as often as the cluster needs, the newest of a name alone', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true })
  lab.feed({ kind: 'broadcast', name: 'x', message: utf8('old') })
  lab.feed({ kind: 'broadcast', name: 'x', message: utf8('new') })
  expect(lab.machine.stats().queueDepth).toBe(4)
  const told = sentOf(lab.advance(5_000), 'user').map(({ bytes }) => new TextDecoder().decode(bytes))
  expect(told).toEqual(Array.from({ length: membershipProfiles.tailnet.retransmitMin }, () => 'new'))
  expect(lab.machine.stats().queueDepth).toBe(0)
})

test('alone, news are no backlog; they count once there is somebody to tell', () => {
  const lab = membershipLab()
  lab.feed({ kind: 'broadcast', name: 'x', message: utf8('news') })
  expect(lab.machine.stats().queueDepth).toBe(0)
  const company = membershipLab({ knows: ['m1'] })
  company.feed({ kind: 'broadcast', name: 'x', message: utf8('news') })
  expect(company.machine.stats().queueDepth).toBeGreaterThan(0)
})

test('a broadcast that no packet could carry is our bug', () => {
  const lab = membershipLab()
  expect(() => lab.feed({ kind: 'broadcast', name: 'x', message: new Uint8Array(1_101) })).toThrow('fits a packet')
})

test('news about members go before the application’s when room is short', () => {
  const lab = membershipLab({ knows: ['m1'], answers: true })
  lab.feed({ kind: 'broadcast', name: 'x', message: new Uint8Array(1_100) })
  const [first, ...later] = outputsOf(lab.advance(4_000), 'sendPacket').map(({ bytes }) =>
    decodePacket(bytes).messages.flatMap(({ kind }) => (kind === 'ping' ? [] : [kind])),
  )
  expect(first).toEqual(['alive', 'alive'])
  expect(later).toContainEqual(['user'])
})

test.each([
  { protocol: 5, firstByte: 12 },
  { protocol: 4, firstByte: 7 },
])('a packet to a member of protocol $protocol begins with byte $firstByte', ({ protocol, firstByte }) => {
  const lab = membershipLab()
  lab.hear(anAlive({ node: 'm1', versions: Uint8Array.of(1, protocol, 2, 1, 1, 1) }))
  const packets = outputsOf(lab.advance(200), 'sendPacket').filter(({ to }) => to.ip === addressOf('m1').ip)
  expect(packets.map(({ bytes }) => bytes[0])).toContain(firstByte)
})

test('leaving is told to the others until they can be trusted to know, and then everything ends', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true })
  lab.feed({ kind: 'streamAccepted', stream: 'in-1', from: addressOf('m1') })
  const atOnce = lab.feed({ kind: 'leave' })
  expect(atOnce).toMatchObject([{ kind: 'memberChanged', member: { name: 'self', status: 'left' } }])
  const outputs = lab.advance(3_000)
  const { retransmitMin } = membershipProfiles.tailnet
  const goodbye = expect.objectContaining({ node: 'self', from: 'self', incarnation: 1 }) as unknown
  expect(sentOf(outputs, 'dead')).toEqual(Array.from({ length: retransmitMin }, () => goodbye))
  expect(sentOf(outputs, 'ping')).toEqual([])
  expect(outputs.slice(-2)).toEqual([{ kind: 'closeStream', stream: 'in-1' }, { kind: 'leaveFinished' }])
  expect(lab.machine.nextDeadline()).toBeUndefined()
  expect(lab.hear({ kind: 'ping', seqNo: 1, node: 'self' })).toEqual([])
  expect(lab.feed({ kind: 'leave' })).toEqual([])
})

test('while leaving nothing that is said about us is answered', () => {
  const lab = membershipLab({ knows: ['m1'] })
  lab.feed({ kind: 'leave' })
  lab.hear(anAlive({ node: 'self', address: ourAddress, incarnation: 9 }))
  lab.hear({ kind: 'suspect', node: 'self', incarnation: 9, from: 'm1' })
  expect(lab.member('self')).toMatchObject({ status: 'left', incarnation: 1 })
  expect(lab.machine.stats().refutations).toBe(0)
})

test('one of the dead is pinged with its accusation and offered a push/pull every 30 s', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3'], answers: true })
  lab.hear({ kind: 'dead', node: 'm1', incarnation: 1, from: 'm2' })
  lab.advance(60_000)
  const outputs = lab.advance(60_000)
  const pings = sentOf(outputs, 'ping').filter(({ node }) => node === 'm1')
  expect(pings).toHaveLength(2)
  const accusations = sentOf(outputs, 'dead').filter(({ to }) => to === formatAddress(addressOf('m1')))
  expect(accusations).toHaveLength(2)
  expect(outputsOf(outputs, 'dialStream').filter(({ to }) => to.ip === addressOf('m1').ip)).toHaveLength(2)
})

test('those who left are not tried again', () => {
  const lab = membershipLab({ knows: ['m1'], answers: true })
  lab.hear({ kind: 'dead', node: 'm1', incarnation: 1, from: 'm1' })
  const outputs = lab.advance(120_000)
  expect(sent(outputs)).toEqual([])
  expect(outputsOf(outputs, 'dialStream')).toEqual([])
})

test('the newly dead still hear what is said about members, after 30 s they no longer do', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true })
  lab.hear({ kind: 'dead', node: 'm1', incarnation: 1, from: 'm2' })
  const heardOf = (name: string): boolean => {
    lab.hear(anAlive({ node: name, incarnation: 1 }))
    return sentOf(lab.advance(2_000), 'alive').some(({ to }) => to === formatAddress(addressOf('m1')))
  }
  expect(heardOf('m3')).toBe(true)
  lab.advance(60_000)
  expect(heardOf('m4')).toBe(false)
})

test('news of the application are not spent on the suspected and the dead', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3'], answers: true })
  lab.hear({ kind: 'dead', node: 'm1', incarnation: 1, from: 'm2' })
  lab.hear({ kind: 'suspect', node: 'm2', incarnation: 1, from: 'm3' })
  lab.feed({ kind: 'broadcast', name: 'x', message: utf8('x') })
  const to = new Set(sentOf(lab.advance(400), 'user').map(({ to }) => to))
  expect([...to]).toEqual([formatAddress(addressOf('m3'))])
})

test('without news no round is due, and the first news leave at once', () => {
  const lab = membershipLab({ knows: ['m1'], answers: true })
  lab.advance(5_000)
  const quietUntil = lab.machine.nextDeadline() ?? 0
  expect(quietUntil - lab.now).toBeGreaterThan(200)
  lab.feed({ kind: 'broadcast', name: 'x', message: utf8('x') })
  expect(lab.machine.nextDeadline()).toBe(lab.now)
})

test.each(['m1', 'm2'])('whoever is gone for long is forgotten (dead said by %s)', from => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true, config: { forgetAfterMs: 300_000 } })
  lab.hear({ kind: 'dead', node: 'm1', incarnation: 1, from })
  expect(outputsOf(lab.advance(299_000), 'memberForgotten')).toEqual([])
  expect(outputsOf(lab.advance(31_000), 'memberForgotten')).toEqual([{ kind: 'memberForgotten', name: 'm1' }])
  expect(lab.member('m1')).toBeUndefined()
})

test('a standstill of ours counts against nobody and lowers our opinion of ourselves', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.hear({ kind: 'suspect', node: 'm1', incarnation: 1, from: 'm2' })
  lab.advance(1_000)
  lab.stall(60_000)
  lab.advance(0)
  expect(lab.member('m1')?.status).toBe('suspect')
  expect(lab.machine.stats().healthScore).toBeGreaterThan(0)
  lab.hear(anAlive({ node: 'm1', incarnation: 2 }))
  lab.advance(200)
  expect(lab.member('m1')?.status).toBe('alive')
})

test.each([
  { delayMs: 250, healthScore: 0 },
  { delayMs: 251, healthScore: 1 },
])('timers served $delayMs ms late leave our health score at $healthScore', ({ delayMs, healthScore }) => {
  const lab = membershipLab({ knows: ['m1'] })
  expect(lab.feed({ kind: 'runtimeDelayed', delayMs })).toEqual([])
  expect(lab.machine.stats().healthScore).toBe(healthScore)
})

test('that a broadcast of the application leaves is told the first time, and anew for its successor', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true })
  lab.advance(3_000)
  lab.feed({ kind: 'broadcast', name: 'x', message: utf8('one') })
  const first = lab.advance(5_000)
  expect(outputsOf(first, 'newsSent').map(({ name }) => name)).toEqual(['x'])
  const packet = outputsOf(first, 'sendPacket').find(({ bytes }) => textOf(bytes).includes('one'))
  expect(outputsOf(first, 'newsSent').map(({ to }) => to)).toEqual([packet?.to])
  lab.feed({ kind: 'broadcast', name: 'x', message: utf8('two') })
  expect(outputsOf(lab.advance(5_000), 'newsSent')).toHaveLength(1)
})

test('a tick before its time does nothing', () => {
  const lab = membershipLab({ knows: ['m1'] })
  lab.advance(2_000)
  const due = lab.machine.nextDeadline() ?? 0
  expect(lab.now).toBeLessThan(due)
  expect(lab.feed({ kind: 'tick' })).toEqual([])
  expect(lab.machine.nextDeadline()).toBe(due)
})

test('an undecodable packet is counted and changes nothing', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const before = lab.machine.members()
  const outputs = lab.feed({ kind: 'packetReceived', from: addressOf('m1'), bytes: Uint8Array.of(200, 1, 2) })
  expect(outputs).toMatchObject([{ kind: 'refused', from: addressOf('m1'), reason: 'unknownType' }])
  expect(lab.machine.members()).toEqual(before)
})
