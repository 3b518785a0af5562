import { expect, test } from 'vitest'
import { isLoop, journeyHeaders, parseJourney } from './hops.ts'

test('a client request has made no journey', () => {
  expect(parseJourney(undefined, undefined)).toEqual({ hops: 0, passes: 0 })
})

test.each(['', '-1', '1.5', 'many', '1, 1', '1000'])('a counter of %j is refused', text => {
  expect(parseJourney(text, undefined)).toBeUndefined()
  expect(parseJourney(undefined, text)).toBeUndefined()
})

test('a request handed from proxy to proxy ends at the limit', () => {
  let journey = { hops: 0, passes: 0 }
  let forwarded = 0
  while (!isLoop(journey)) {
    const [, hops, , passes] = journeyHeaders(journey, 'peerProxy')
    journey = parseJourney(hops, passes) ?? journey
    forwarded++
  }
  expect(forwarded).toBe(2)
})

test('a request that comes back through an instance ends as well, later', () => {
  let journey = { hops: 0, passes: 0 }
  let forwarded = 0
  while (!isLoop(journey)) {
    const [, passes] = journeyHeaders(journey, 'instance')
    journey = parseJourney(undefined, passes) ?? journey
    forwarded++
  }
  expect(forwarded).toBe(8)
})

test('an instance is not told about hops, or it would pass them on and bind other requests to its node', () => {
  expect(journeyHeaders({ hops: 1, passes: 1 }, 'instance')).toEqual(['constellation-passes', '2'])
})
