import { expect, test } from 'vitest'
import { createAwareness } from './awareness.ts'

test('the health score stays between 0 and one below its limit', () => {
  const awareness = createAwareness(8)
  const scores = [-1, 3, 1, 9, -2, -20].map(by => {
    awareness.adjust(by)
    return awareness.score
  })
  expect(scores).toEqual([0, 3, 4, 7, 5, 0])
})
