import { expect, test } from 'vitest'
import { noStats } from '../core/membership/index.ts'
import type { Member } from '../core/membership/index.ts'
import { encodeProfile } from '../core/registry/index.ts'
import { aMember, aProfile } from '../testing/builders.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { createGossipQuestions } from './gossip-answers.ts'
import { createJournal } from './journal.ts'

const stats = {
  ...noStats,
  healthScore: 2,
  probes: 9,
  packetsSent: 9,
  packetsReceived: 9,
  bytesSent: 900,
  bytesReceived: 900,
}

function questionsOver(members: readonly Member[]) {
  const clock = new VirtualClock(90_000)
  const journal = createJournal(clock)
  const snapshot = { members, sections: new Map(), synced: true, expectsPeers: true }
  const questions = createGossipQuestions({
    node: 'a',
    cluster: { stats: () => stats, snapshot: () => snapshot },
    journal,
    traits: { profile: 'tailnet', labelled: true, encrypted: false },
    clock,
  })
  return { clock, journal, questions }
}

test('a status is as old as the observer has known it, on any clock', () => {
  const { clock, questions } = questionsOver([aMember({ name: 'b', status: 'dead', statusSince: 30_000 })])
  expect(questions.gossipMembers().members[0]).toMatchObject({ status: 'dead', statusForMs: 60_000 })
  clock.advance(1_500)
  expect(questions.gossipMembers().members[0]?.statusForMs).toBe(61_500)
})

test('one of ours says what it is, a foreign member only that it is there, and health is ours alone', () => {
  const versions = Uint8Array.of(1, 5, 2, 0, 0, 0)
  const profile = encodeProfile(aProfile({ role: 'witness', priority: 7 }))
  const { questions } = questionsOver([
    aMember({ name: 'a', meta: profile, versions }),
    aMember({ name: 'b', meta: profile, versions }),
    aMember({ name: 'serf', meta: Uint8Array.of(255, 129), versions: new Uint8Array(6) }),
  ])
  const [self, ours, foreign] = questions.gossipMembers().members
  expect(self).toMatchObject({ self: true, healthScore: 2, protocol: { current: 2, min: 1, max: 5 } })
  expect(ours).toMatchObject({ self: false, role: 'witness', priority: 7, metaSizeBytes: profile.length })
  expect(ours).not.toHaveProperty('healthScore')
  expect(foreign).toMatchObject({ metaSizeBytes: 2, protocol: { current: 0, min: 0, max: 0 } })
  expect(foreign).not.toHaveProperty('role')
})

test('gossip as a whole: who is there, and how we do', () => {
  const { questions } = questionsOver([
    aMember({ name: 'a', address: { ip: '100.64.0.1', port: 7946 } }),
    aMember({ name: 'b', status: 'suspect' }),
    aMember({ name: 'c', status: 'left' }),
  ])
  expect(questions.gossip()).toEqual({
    node: 'a',
    address: '100.64.0.1:7946',
    profile: 'tailnet',
    labelled: true,
    encrypted: false,
    synced: true,
    healthScore: 2,
    members: { alive: 1, suspect: 1, dead: 0, left: 1 },
    stats,
  })
})

test('a walk comes with the time of the answer, by the clock of its hops', () => {
  const { clock, journal, questions } = questionsOver([])
  journal.mark('web@b#3', 'received', 90_000, 'by gossip')
  clock.advance(250)
  expect(questions.trace('web@b')).toEqual({
    kind: 'found',
    walk: {
      node: 'a',
      nowMs: 90_250,
      wallNowMs: clock.wallNow(),
      key: 'web@b#3',
      hops: [{ hop: 'received', atMs: 90_000, wallMs: clock.wallNow() - 250, detail: 'by gossip' }],
    },
  })
  expect(questions.trace('db@b')).toEqual({ kind: 'absent', known: ['web@b#3'] })
})
