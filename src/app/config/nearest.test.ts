import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const words = ['bindAddr', 'bindPort', 'advertiseAddr', 'seeds']

test.each([
  ['bindPrt', 'bindPort'],
  ['bindport', 'bindPort'],
  ['bidnPort', 'bindPort'],
  ['seed', 'seeds'],
  ['advertisedAddr', 'advertiseAddr'],
])('%s was meant to be %s', (typed, meant) => {
  expect(nearest(typed, words)).toBe(meant)
})

test('something else entirely gets no suggestion', () => {
  expect(nearest('timeout', words)).toBeUndefined()
  expect(nearest('', words)).toBeUndefined()
})
