import { expect, test } from 'vitest'
import { isIdempotent, maySendAgain, type BodyKind } from './idempotency.ts'

test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])('%s is idempotent', method => {
  expect(isIdempotent(method, undefined)).toBe(true)
})

test.each(['POST', 'PATCH', 'get', ''])('%j is not, unless the client says so with a key', method => {
  expect(isIdempotent(method, undefined)).toBe(false)
  expect(isIdempotent(method, ' ')).toBe(false)
  expect(isIdempotent(method, 'order-17')).toBe(true)
})

test.each<[boolean, BodyKind, boolean, boolean]>([
  [true, 'none', true, true],
  [true, 'buffered', true, true],
  [true, 'streamed', true, false],
  [true, 'streamed', false, true],
  [false, 'none', true, false],
  [false, 'buffered', true, false],
  [false, 'buffered', false, true],
  [false, 'streamed', false, true],
])('idempotent %s, body %s, bytes sent %s: again %s', (idempotent, body, bytesSent, again) => {
  expect(maySendAgain({ idempotent, body }, bytesSent)).toBe(again)
})
