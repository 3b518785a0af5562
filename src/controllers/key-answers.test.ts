import { describe, expect, test } from 'vitest'
import type { KeyOperation } from '../core/cluster/index.ts'
import type { NodeKeyOutcome } from './cluster-keys.ts'
import { askForKeys } from './key-answers.ts'

const [one, two] = ['111111111111', '222222222222']

const has = (node: string, fingerprints: readonly string[], problem?: string): NodeKeyOutcome => ({
  kind: 'answered',
  node,
  reply: { fingerprints, ...(problem === undefined ? {} : { problem }) },
})
const silent = (node: string): NodeKeyOutcome => ({ kind: 'silent', node })
const dead = (node: string): NodeKeyOutcome => ({ kind: 'notAsked', node, status: 'dead', reason: 'it is dead' })
const suspect = (node: string): NodeKeyOutcome => ({
  kind: 'notAsked',
  node,
  status: 'suspect',
  reason: 'it is suspect',
})

/** A cluster that lists the one and answers a change with the other. */
function cluster(listed: readonly NodeKeyOutcome[], changed: readonly NodeKeyOutcome[] = []) {
  const asked: string[] = []
  return {
    asked,
    keys({ kind }: KeyOperation) {
      asked.push(kind)
      return Promise.resolve({ nodes: kind === 'list' ? listed : changed })
    },
  }
}

const use: KeyOperation = { kind: 'use', fingerprint: two }
const remove: KeyOperation = { kind: 'remove', fingerprint: two }

test('a list says who encrypts with which key, who lacks which, and who did not answer', async () => {
  const answer = await askForKeys(cluster([has('a', [one, two]), has('b', [one]), silent('c'), dead('d')]), 'a', {
    kind: 'list',
  })
  expect(answer).toEqual({
    operation: 'list',
    complete: false,
    refusals: [],
    keys: [
      { fingerprint: one, primaryOn: ['a', 'b'], missingOn: [] },
      { fingerprint: two, primaryOn: [], missingOn: ['b'] },
    ],
    nodes: [
      { node: 'a', outcome: 'done', fingerprints: [one, two] },
      { node: 'b', outcome: 'done', fingerprints: [one] },
      { node: 'c', outcome: 'silent', fingerprints: [], reason: 'it did not answer in time' },
      { node: 'd', outcome: 'notAsked', fingerprints: [], reason: 'it is dead' },
    ],
  })
})

test('a change is begun when it would cut off nobody who is alive', async () => {
  const here = cluster(
    [has('a', [one, two]), has('b', [one, two]), dead('c')],
    [has('a', [two, one]), has('b', [two, one]), dead('c')],
  )
  const answer = await askForKeys(here, 'a', use)
  expect(here.asked).toEqual(['list', 'use'])
  expect(answer).toMatchObject({
    complete: false,
    refusals: [],
    keys: [{ fingerprint: two, primaryOn: ['a', 'b'] }, {}],
  })
})

describe('a change that would cut off a node is not begun', () => {
  test.each<[string, KeyOperation, NodeKeyOutcome, string]>([
    ['one lacks the key that is to be used', use, has('b', [one]), 'b does not have 222222222222; install it first'],
    ['one still encrypts with the key that is to go', remove, has('b', [two, one]), 'b still encrypts with it'],
    ['one is suspect, and may be alive', use, suspect('b'), 'b is suspect; in a few seconds it is alive again or dead'],
    ['one does not answer', use, silent('b'), 'b does not answer'],
    ['one has a problem of its own', remove, has('b', [one], 'gossip is in clear here'), 'b: gossip is in clear'],
  ])('%s', async (_, operation, b, why) => {
    const here = cluster([has('a', [one, two]), b])
    const answer = await askForKeys(here, 'a', operation)
    expect(here.asked).toEqual(['list'])
    expect(answer).toMatchObject({ complete: false, refusals: [expect.stringContaining(why)] })
  })

  test('a node that has removed the key names those who have not', async () => {
    const answer = await askForKeys(cluster([has('a', [one]), has('b', [one, two])]), 'a', remove)
    expect(answer.refusals).toEqual(['a does not have 222222222222 any more; ask a node that has it: b'])
  })
})

test('a key that nobody has is none that can be removed: it was mistyped', async () => {
  const here = cluster([has('a', [one]), has('b', [one])])
  expect(await askForKeys(here, 'a', remove)).toMatchObject({
    complete: false,
    refusals: ['no node that answers has 222222222222; `list` shows which there are'],
  })
  expect(here.asked).toEqual(['list'])
})

test('an agent that is stopping asks nobody, and does not call that a success', async () => {
  const stopping = cluster([])
  expect(await askForKeys(stopping, 'a', { kind: 'list' })).toMatchObject({ complete: false, refusals: [] })
  for (const operation of [use, { kind: 'install', key: new Uint8Array(32) } as const])
    expect(await askForKeys(stopping, 'a', operation)).toMatchObject({
      complete: false,
      refusals: ['a is stopping and has asked nobody'],
    })
})

test('what was removed before is removed', async () => {
  const listed = [has('a', [one]), has('b', [one, two])]
  const here = cluster(listed, [has('a', [one], 'no installed key'), has('b', [one])])
  expect(await askForKeys(here, 'b', remove)).toMatchObject({ complete: true, refusals: [] })
})

test('whoever refuses is named with the reason', async () => {
  const here = cluster([], [has('a', [one, two]), has('b', [one], 'the disk is full')])
  const answer = await askForKeys(here, 'a', { kind: 'install', key: new Uint8Array(32) })
  expect(here.asked).toEqual(['install'])
  expect(answer).toMatchObject({
    complete: false,
    refusals: ['b: the disk is full'],
    nodes: [{ outcome: 'done' }, { outcome: 'refused', reason: 'the disk is full' }],
  })
})
