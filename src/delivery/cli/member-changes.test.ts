import { expect, test } from 'vitest'
import { changesBetween, type Member } from './member-changes.ts'

function aMember(name: string, status: Member['status']): Member {
  const protocol = { current: 2, min: 1, max: 5 }
  return {
    name,
    self: false,
    status,
    statusForMs: 0,
    address: `${name}:7946`,
    incarnation: 1,
    protocol,
    metaSizeBytes: 0,
  }
}

test('the first look tells of everybody, the next of changes only', () => {
  const first = [aMember('a', 'alive'), aMember('b', 'alive')]
  expect(changesBetween([], first, 5)).toEqual([
    { atMs: 5, member: 'a', address: 'a:7946', to: 'alive' },
    { atMs: 5, member: 'b', address: 'b:7946', to: 'alive' },
  ])
  expect(changesBetween(first, [aMember('a', 'alive'), aMember('b', 'suspect')], 6)).toEqual([
    { atMs: 6, member: 'b', address: 'b:7946', from: 'alive', to: 'suspect' },
  ])
  expect(changesBetween(first, first, 7)).toEqual([])
})

test('who is no longer listed is forgotten', () => {
  expect(changesBetween([aMember('b', 'dead')], [], 8)).toEqual([
    { atMs: 8, member: 'b', address: 'b:7946', from: 'dead', to: 'forgotten' },
  ])
})
