import { expect, test } from 'vitest'
import { findWalk } from './walk-name.ts'

const keys = ['shop:web@node-a#9', 'shop:web@node-a#8', 'db@node-a#7', 'toy:db@node-b#3', 'shop:db@node-b#2']

test.each([
  ['a whole key', 'shop:web@node-a#8', 'shop:web@node-a#8'],
  ['a key without its project', 'web@node-a#8', 'shop:web@node-a#8'],
  ['no revision: the newest', 'shop:web@node-a', 'shop:web@node-a#9'],
  ['neither', 'web@node-a', 'shop:web@node-a#9'],
  ['a service without project', 'db@node-a', 'db@node-a#7'],
])('%s', (_, text, walk) => {
  expect(findWalk(text, keys)).toEqual({ kind: 'found', walk })
})

test('a name that two projects have is told apart by the reader', () => {
  expect(findWalk('db@node-b', keys)).toEqual({ kind: 'ambiguous', keys: ['toy:db@node-b#3', 'shop:db@node-b#2'] })
})

test.each(['web@node-b', 'eb@node-a', 'web', '', 'shop:web@node-a#80'])('nothing is found for "%s"', text => {
  expect(findWalk(text, keys)).toEqual({ kind: 'absent', known: keys })
})
