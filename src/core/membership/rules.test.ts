/** The three rules as a whole machine applies them: what a message changes, what is passed on, what is said. */
import { expect, test } from 'vitest'
import { formatAddress } from '../../kernel/units.ts'
import { addressOf, anAlive, membershipLab, outputsOf, ourAddress, sent, sentOf } from '../../testing/membership-lab.ts'
import type { MembershipLab } from '../../testing/membership-lab.ts'
import type { Dead, Suspect } from './messages.ts'

test('an unknown member becomes known, is announced and passed on', () => {
  const lab = membershipLab()
  const outputs = lab.hear(anAlive({ node: 'm1', incarnation: 4, meta: Uint8Array.of(7) }))
  expect(outputs).toMatchObject([
    { kind: 'memberChanged', previous: undefined, member: { name: 'm1', status: 'alive', incarnation: 4 } },
  ])
  expect(sentOf(lab.advance(1_000), 'alive').map(({ node }) => node)).toContain('m1')
})

test('alive news no fresher than what is known changes nothing', () => {
  const lab = membershipLab({ knows: ['m1'] })
  expect(lab.hear(anAlive({ node: 'm1', incarnation: 1 }))).toEqual([])
  expect(lab.hear(anAlive({ node: 'm1', incarnation: 0, meta: Uint8Array.of(9) }))).toEqual([])
  expect(lab.member('m1')?.meta).toEqual(new Uint8Array(0))
})

test('of two lives with one incarnation neither wins; the member hears what we hold, and can outbid both', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const outputs = lab.hear(anAlive({ node: 'm1', incarnation: 1, meta: Uint8Array.of(9) }))
  expect(lab.member('m1')?.meta).toEqual(new Uint8Array(0))
  expect(outputsOf(outputs, 'sendPacket').map(({ to }) => to)).toEqual([addressOf('m1')])
  expect(sentOf(outputs, 'alive')).toMatchObject([{ node: 'm1', incarnation: 1, meta: new Uint8Array(0) }])
})

test('a fresher incarnation ends a suspicion', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.hear(suspect('m1', 1))
  expect(lab.member('m1')?.status).toBe('suspect')
  lab.hear(anAlive({ node: 'm1', incarnation: 1 }))
  expect(lab.member('m1')?.status).toBe('suspect')
  const outputs = lab.hear(anAlive({ node: 'm1', incarnation: 2 }))
  expect(outputs).toMatchObject([{ kind: 'memberChanged', previous: 'suspect', member: { status: 'alive' } }])
})

test.each([
  { from: 'alive', to: 'suspect', message: suspect('m1', 1), status: 'suspect' },
  { from: 'alive', to: 'dead', message: dead('m1', 1), status: 'dead' },
  { from: 'alive', to: 'left', message: dead('m1', 1, 'm1'), status: 'left' },
])('at the same incarnation $to beats $from', ({ message, status }) => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.hear(message)
  expect(lab.member('m1')?.status).toBe(status)
})

test.each([
  { claim: 'suspect', message: suspect('m1', 4) },
  { claim: 'dead', message: dead('m1', 4) },
])('a $claim of an older incarnation is ignored', ({ message }) => {
  const lab = membershipLab()
  lab.hear(anAlive({ node: 'm1', incarnation: 5 }))
  expect(lab.hear(message)).toEqual([])
  expect(lab.member('m1')?.status).toBe('alive')
})

test.each([
  { accusation: suspect('m1', 1), counted: 1 },
  { accusation: dead('m1', 1), counted: 1 },
  { accusation: dead('m1', 1, 'm1'), counted: 0 },
])(
  'who refutes a $accusation.kind was accused falsely: $counted; whoever had left was not',
  ({ accusation, counted }) => {
    const lab = membershipLab({ knows: ['m1', 'm2', 'm3'] })
    lab.hear(accusation)
    lab.hear(anAlive({ node: 'm1', incarnation: 2 }))
    lab.hear(anAlive({ node: 'm1', incarnation: 3 }))
    expect(lab.member('m1')?.status).toBe('alive')
    expect(lab.machine.stats().falsePositives).toBe(counted)
  },
)

test('who returns at another address did not refute anything', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3'] })
  lab.hear(dead('m1', 1))
  lab.stall(61_000)
  lab.hear(anAlive({ node: 'm1', incarnation: 2, address: addressOf('m66') }))
  expect(lab.member('m1')?.status).toBe('alive')
  expect(lab.machine.stats().falsePositives).toBe(0)
})

test('a suspicion of the dead does not revive them, and the unknown cannot be accused', () => {
  const lab = membershipLab({ knows: ['m1'] })
  lab.hear(dead('m1', 1))
  expect(lab.hear(suspect('m1', 7))).toEqual([])
  expect(lab.member('m1')?.status).toBe('dead')
  expect(lab.hear(suspect('stranger', 1))).toEqual([])
  expect(lab.hear(dead('stranger', 1))).toEqual([])
  expect(lab.member('stranger')).toBeUndefined()
})

test('a suspicion that nobody refutes ends in death after the minimum, with three members', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], answers: true })
  const since = lab.now
  lab.hear(suspect('m1', 1))
  lab.advance(3_999)
  expect(lab.member('m1')?.status).toBe('suspect')
  lab.advance(1)
  expect(lab.member('m1')).toMatchObject({ status: 'dead', statusSince: since + 4_000 })
})

test('with five members two more voices shorten the suspicion, and each new voice is passed on', () => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3', 'm4'], answers: true })
  lab.advance(5_000)
  lab.hear(suspect('m1', 1, 'm2'))
  lab.hear(suspect('m1', 1, 'm2'))
  lab.hear(suspect('m1', 1, 'm3'))
  expect(sentOf(lab.advance(3_000), 'suspect').map(({ from }) => from)).toContain('m3')
  expect(lab.member('m1')?.status).toBe('suspect')
  lab.hear(suspect('m1', 1, 'm4'))
  lab.advance(1_000)
  expect(lab.member('m1')?.status).toBe('dead')
})

test.each([
  { claim: 'suspected', message: suspect('self', 1), answer: 2 },
  { claim: 'called dead', message: dead('self', 1), answer: 2 },
  { claim: 'said to have left', message: dead('self', 1, 'self'), answer: 2 },
  { claim: 'suspected at a far higher incarnation', message: suspect('self', 900), answer: 901 },
])('when $claim we answer with incarnation $answer and trust our own judgement less', ({ message, answer }) => {
  const lab = membershipLab({ knows: ['m1'] })
  lab.hear(message)
  expect(lab.member('self')).toMatchObject({ status: 'alive', incarnation: answer })
  expect(lab.machine.stats()).toMatchObject({ refutations: 1, healthScore: 1 })
  expect(sentOf(lab.advance(300), 'alive')).toContainEqual(
    expect.objectContaining({ node: 'self', incarnation: answer, address: ourAddress }),
  )
})

test.each([
  { status: 'suspect', message: suspect('m1', 1) },
  { status: 'dead', message: dead('m1', 1) },
])('a $status member that is said to live as before hears at once what we hold against it', ({ status, message }) => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.hear(message)
  const told = sent(lab.hear(anAlive({ node: 'm1' }), addressOf('m2')))
  const accusation = { kind: status, node: 'm1', incarnation: 1, from: 'self' }
  expect(told).toEqual([{ to: formatAddress(addressOf('m1')), message: accusation }])
  expect(lab.hear(anAlive({ node: 'm2' }))).toEqual([])
})

test.each([
  { claim: 'suspects us', message: suspect('self', 1, 'm2') },
  { claim: 'holds us for dead', message: dead('self', 1, 'm2') },
])('who $claim although we have refuted it is told so again, straight and alone', ({ message }) => {
  const lab = membershipLab({ knows: ['m1', 'm2', 'm3'] })
  lab.hear(message)
  lab.advance(5_000)
  const told = sentOf(lab.hear(message, addressOf('m3')), 'alive')
  expect(told).toMatchObject([{ to: formatAddress(addressOf('m2')), node: 'self', incarnation: 2 }])
  expect(lab.member('self')?.incarnation).toBe(2)
  expect(lab.hear({ ...message, from: 'nobody' })).toEqual([])
})

test('an accusation more than half the counter ahead is an old one', () => {
  const lab = membershipLab({ knows: ['m1'] })
  expect(lab.hear(dead('self', 0xffff_ffff))).toEqual([])
  expect(lab.hear(dead('m1', 0xffff_ffff))).toEqual([])
  expect(lab.member('m1')?.status).toBe('alive')
})

test('our own past after a restart is outbid at once', () => {
  const lab = membershipLab({ knows: ['m1'] })
  lab.hear(anAlive({ node: 'self', address: ourAddress, incarnation: 12, meta: Uint8Array.of(1) }))
  expect(lab.member('self')).toMatchObject({ incarnation: 13, meta: new Uint8Array(0) })
  expect(lab.machine.stats().healthScore).toBe(0)
})

test('our own words coming back are nothing new', () => {
  const lab = membershipLab({ knows: ['m1'] })
  expect(lab.hear(anAlive({ node: 'self', address: ourAddress, incarnation: 1 }))).toEqual([])
  expect(lab.machine.stats().refutations).toBe(0)
})

test('a known name at another address is a conflict, reported now and then, and nothing changes', () => {
  const lab = membershipLab({ knows: ['m1'] })
  const elsewhere = anAlive({ node: 'm1', address: addressOf('m66'), incarnation: 50 })
  expect(lab.hear(elsewhere)).toEqual([
    { kind: 'nameConflict', name: 'm1', known: addressOf('m1'), other: addressOf('m66') },
  ])
  expect(lab.hear(elsewhere)).toEqual([])
  expect(lab.member('m1')).toMatchObject({ address: addressOf('m1'), incarnation: 1 })
  lab.stall(10_000)
  expect(lab.hear(elsewhere)).toHaveLength(1)
})

test('our own name at another address is reported and not fought over', () => {
  const lab = membershipLab()
  const outputs = lab.hear(anAlive({ node: 'self', address: addressOf('m66'), incarnation: 50 }))
  expect(outputs).toEqual([{ kind: 'nameConflict', name: 'self', known: ourAddress, other: addressOf('m66') }])
  expect(lab.member('self')).toMatchObject({ incarnation: 1, address: ourAddress })
})

test.each([
  { was: 'left', message: dead('m1', 1, 'm1'), afterMs: 0, moves: true },
  { was: 'dead', message: dead('m1', 1), afterMs: 59_000, moves: false },
  { was: 'dead', message: dead('m1', 1), afterMs: 61_000, moves: true },
])('a member $was for $afterMs ms may return at another address: $moves', ({ message, afterMs, moves }) => {
  const lab = membershipLab({ knows: ['m1', 'm2'] })
  lab.hear(message)
  lab.stall(afterMs)
  lab.hear(anAlive({ node: 'm1', address: addressOf('m66'), incarnation: 1 }))
  expect(lab.member('m1')?.address).toEqual(addressOf(moves ? 'm66' : 'm1'))
  expect(lab.member('m1')?.status === 'alive').toBe(moves)
})

test.each([
  { what: 'metadata of 513 bytes', over: { meta: new Uint8Array(513) }, reason: 'tooLarge' },
  { what: 'protocol 0', over: { versions: Uint8Array.of(0, 5, 2, 1, 1, 1) }, reason: 'incompatibleVersion' },
  { what: 'no highest protocol', over: { versions: Uint8Array.of(1, 0, 2) }, reason: 'incompatibleVersion' },
  { what: 'protocols upside down', over: { versions: Uint8Array.of(5, 2, 2, 1, 1, 1) }, reason: 'incompatibleVersion' },
])('a member with $what is refused', ({ over, reason }) => {
  const lab = membershipLab()
  const outputs = lab.hear(anAlive({ node: 'm1', ...over }))
  expect(outputsOf(outputs, 'refused').map(refused => refused.reason)).toEqual([reason])
  expect(lab.member('m1')).toBeUndefined()
})

test('a peer that leaves its port out listens where we do', () => {
  const lab = membershipLab()
  lab.hear(anAlive({ node: 'm1', address: { ip: '10.0.0.1', port: 0 } }))
  expect(lab.member('m1')?.address).toEqual({ ip: '10.0.0.1', port: ourAddress.port })
})

test('incarnations wrap without losing their order', () => {
  const lab = membershipLab()
  lab.hear(anAlive({ node: 'm1', incarnation: 0xffff_ffff }))
  lab.hear(suspect('m1', 0xffff_ffff))
  lab.hear(anAlive({ node: 'm1', incarnation: 0 }))
  expect(lab.member('m1')).toMatchObject({ status: 'alive', incarnation: 0 })
})

test('when the list is full a mere name makes room before a member that had once answered', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], config: { membersMax: 3 }, answers: true })
  lab.advance(3_000)
  lab.hear(dead('m1', 1))
  lab.hear(anAlive({ node: 'm3' }))
  expect(names(lab)).toEqual(['m2', 'm3', 'self'])
  lab.hear(dead('m2', 1))
  lab.hear(dead('m3', 1))
  lab.hear(anAlive({ node: 'm4' }))
  expect(names(lab)).toEqual(['m2', 'm4', 'self'])
})

test('when the list is full the longest departed makes room, and without departed ones nobody enters', () => {
  const lab = membershipLab({ knows: ['m1', 'm2'], config: { membersMax: 3 } })
  expect(outputsOf(lab.hear(anAlive({ node: 'm3' })), 'refused').map(({ reason }) => reason)).toEqual(['overflow'])
  lab.hear(dead('m2', 1))
  expect(lab.hear(anAlive({ node: 'm3' })).map(({ kind }) => kind)).toEqual(['memberForgotten', 'memberChanged'])
  expect(names(lab)).toEqual(['m1', 'm3', 'self'])
})

function suspect(node: string, incarnation: number, from = 'm2'): Suspect {
  return { kind: 'suspect', node, incarnation, from }
}

function dead(node: string, incarnation: number, from = 'm2'): Dead {
  return { kind: 'dead', node, incarnation, from }
}

function names(lab: MembershipLab): readonly string[] {
  return lab.machine.members().map(member => member.name)
}
