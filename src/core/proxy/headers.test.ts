import { describe, expect, test } from 'vitest'
import {
  headerValue,
  headerValues,
  plainIp,
  requestHeadersToForward,
  responseHeadersToForward,
  type RawHeaders,
} from './headers.ts'

const sender = { ip: '192.0.2.7', scheme: 'http', authority: 'web.example' } as const
const forward = (...received: string[]): RawHeaders => requestHeadersToForward(received, sender)

describe('towards the instance', () => {
  test('Host, order, case and repetition survive', () => {
    expect(forward('hOst', 'web.example', 'X-B', '1', 'x-a', '2', 'X-B', '3')).toEqual(
      'Host web.example X-B 1 x-a 2 X-B 3 X-Forwarded-For 192.0.2.7 X-Forwarded-Host web.example X-Forwarded-Proto http'.split(
        ' ',
      ),
    )
  })

  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Expect',
  ])('%s stays behind', name => {
    expect(headerValue(forward(name, 'x'), name.toLowerCase())).toBeUndefined()
  })

  test('what Connection names stays behind, over several lines', () => {
    const forwarded = forward(
      'Connection',
      'keep-alive, X-One',
      'X-One',
      '1',
      'connection',
      'x-two',
      'X-Two',
      '2',
      'X-Three',
      '3',
    )
    expect(forwarded.filter(text => text.startsWith('X-') && !text.startsWith('X-Forwarded'))).toEqual(['X-Three'])
  })

  test('Connection cannot strike out what frames or attributes the request', () => {
    const forwarded = forward(
      'Connection',
      'Content-Length, X-Forwarded-For',
      'Content-Length',
      '5',
      'X-Forwarded-For',
      '192.0.2.1',
    )
    expect(headerValue(forwarded, 'content-length')).toBe('5')
    expect(headerValue(forwarded, 'x-forwarded-for')).toBe('192.0.2.1, 192.0.2.7')
  })

  test('X-Forwarded-For grows by the sender, on one line', () => {
    const forwarded = forward('X-Forwarded-For', '192.0.2.1, 192.0.2.2', 'x-forwarded-for', '192.0.2.3')
    expect(headerValues(forwarded, 'x-forwarded-for')).toEqual(['192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.7'])
  })

  test('the scheme and host an earlier proxy saw are believed', () => {
    const forwarded = forward('X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'public.example')
    expect(headerValues(forwarded, 'x-forwarded-proto')).toEqual(['https'])
    expect(headerValues(forwarded, 'x-forwarded-host')).toEqual(['public.example'])
  })

  test('counters of an earlier hop are not passed on as they are', () => {
    expect(forward('Constellation-Hops', '1', 'constellation-passes', '1').join()).not.toMatch(/constellation/i)
  })

  test('Forwarded is left alone', () => {
    expect(headerValue(forward('Forwarded', 'for=192.0.2.1'), 'forwarded')).toBe('for=192.0.2.1')
  })
})

test('towards the client the framing of the other connection stays behind and the node is named', () => {
  const received = [
    'Connection',
    'close, X-Own',
    'X-Own',
    '1',
    'Set-Cookie',
    'a',
    'Set-Cookie',
    'b',
    'Transfer-Encoding',
    'chunked',
  ]
  expect(responseHeadersToForward([...received, 'Constellation-Node', 'liar'], 'knoten-ä')).toEqual(
    'Set-Cookie a Set-Cookie b constellation-node knoten-%C3%A4'.split(' '),
  )
})

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:0', '::ffff:0'],
])('%s is written %s', (ip, plain) => {
  expect(plainIp(ip)).toBe(plain)
})
