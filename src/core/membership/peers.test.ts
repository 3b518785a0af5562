import { expect, test } from 'vitest'
import { createPrng } from '../../kernel/prng.ts'
import { anAlive, ourAddress } from '../../testing/membership-lab.ts'
import { membershipProfiles } from './profiles.ts'
import { enlist, nextToProbe, pickPeers, sweepRoster } from './peers.ts'
import { createMember, createState } from './state.ts'
import type { KnownMember, State } from './state.ts'

test.each([5, 8, 9, 50])('of %i members three different ones are picked, each as likely as the others', size => {
  const members = Array.from({ length: size }, (_, i) => member(`m${i}`))
  const prng = createPrng(5)
  const picked = new Map<string, number>()
  let rightlyPicked = 0
  for (let round = 0; round < 200 * size; round++) {
    const names = new Set(pickPeers(members, 3, prng, () => true).map(({ name }) => name))
    if (names.size === 3) rightlyPicked++
    for (const name of names) picked.set(name, (picked.get(name) ?? 0) + 1)
  }
  expect(rightlyPicked).toBe(200 * size)
  expect(picked.size).toBe(size)
  for (const times of picked.values()) {
    expect(times).toBeGreaterThan(600 * 0.8)
    expect(times).toBeLessThan(600 * 1.2)
  }
})

test('where fewer fit than are wanted, those that fit are picked', () => {
  const members = Array.from({ length: 50 }, (_, i) => member(`m${i}`))
  const picked = pickPeers(members.slice(0, 4), 3, createPrng(1), ({ name }) => name === 'm2')
  expect(picked.map(({ name }) => name)).toEqual(['m2'])
  expect(pickPeers(members, 3, createPrng(1), () => false)).toEqual([])
  expect(pickPeers([], 3, createPrng(1), () => true)).toEqual([])
})

test('the walk reaches everybody who fits before it starts anew', () => {
  const state = stateWith(['m1', 'm2', 'm3', 'm4'])
  const fits = (member: KnownMember): boolean => member !== state.self && member.name !== 'm3'
  const walk = [1, 2, 3].map(() => nextToProbe(state, fits)?.name)
  expect(new Set(walk)).toEqual(new Set(['m1', 'm2', 'm4']))
  expect(nextToProbe(state, () => false)).toBeUndefined()
})

test('the swept leave the roster and the walk goes on where it was', () => {
  const state = stateWith(['m1', 'm2', 'm3', 'm4', 'm5'])
  const isOther = (member: KnownMember): boolean => member !== state.self
  const first = nextToProbe(state, isOther)
  const second = nextToProbe(state, isOther)
  sweepRoster(state, other => other !== first)
  expect(first?.listed).toBe(false)
  const rest = [1, 2, 3].map(() => nextToProbe(state, isOther)?.name)
  expect(rest).not.toContain(first?.name)
  expect(rest).not.toContain(second?.name)
  expect(new Set(rest).size).toBe(3)
})

test('of many strangers a walk takes as many as have answered, or a few; the others wait for a later walk', () => {
  const state = stateWith(['m1', 'm2', 'm3', 'm4', 'm5', 'm6'])
  for (let i = 0; i < 100; i++) enlist(state, member(`stranger-${i}`))
  const isOther = (one: KnownMember): boolean => one !== state.self
  // The first walk has only the few that any cluster is allowed.
  const walk = Array.from({ length: 6 + 4 }, () => nextToProbe(state, isOther)?.answered)
  expect(walk.filter(answered => answered === true)).toHaveLength(6)
  const next = Array.from({ length: 6 + 6 }, () => nextToProbe(state, isOther)?.answered)
  expect(next.filter(answered => answered === true)).toHaveLength(6)
})

test('a member is listed once, at a place that differs from run to run', () => {
  const places = new Set<number>()
  for (let seed = 1; seed <= 30; seed++) {
    const state = stateWith(['m1', 'm2', 'm3', 'm4'], seed)
    const late = member('late')
    enlist(state, late)
    enlist(state, late)
    expect(state.roster.filter(other => other === late)).toHaveLength(1)
    expect(state.roster).toHaveLength(6)
    places.add(state.roster.indexOf(late))
  }
  expect(places.size).toBeGreaterThan(3)
})

function member(name: string): KnownMember {
  const { address, meta, incarnation, versions } = anAlive({ node: name })
  return createMember({ name, address, meta, incarnation, versions, status: 'alive', statusSince: 0 })
}

function stateWith(names: readonly string[], seed = 1): State {
  const settings = { name: 'self', address: ourAddress, meta: new Uint8Array(0), config: membershipProfiles.tailnet }
  const state = createState(settings, { localState: () => new Uint8Array(0) }, createPrng(seed))
  for (const name of names) enlist(state, { ...member(name), answered: true })
  return state
}
