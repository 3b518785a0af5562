import { describe, expect, test } from 'vitest'
import { parseHost, parseRequestTarget } from './request-target.ts'

describe('the host of a Host header', () => {
  test.each([
    ['web.example', 'web.example'],
    ['Web.EXAMPLE', 'web.example'],
    ['web.example.', 'web.example'],
    ['web.example:8080', 'web.example'],
    ['web.example.:8080', 'web.example'],
    ['web.example:', 'web.example'],
    ['my_service', 'my_service'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['192.0.2.1:80', '192.0.2.1'],
    ['[::1]', '::1'],
    ['[2001:DB8::1]:443', '2001:db8::1'],
  ])('%j is %j', (text, host) => {
    expect(parseHost(text)).toBe(host)
  })

  test.each([
    '',
    '.',
    ' web',
    'web example',
    'web,example',
    'web.example/path',
    'user@web.example',
    'web..example',
    '-web.example',
    'web.example:80:80',
    'web.example:http',
    'web.example:123456',
    '::1',
    '[::1',
    '[::1]x',
    '[web]',
    'büro.example',
    'a'.repeat(64),
    Array.from({ length: 64 }, () => 'abc').join('.'),
  ])('%j is no host', text => {
    expect(parseHost(text)).toBeUndefined()
  })
})

describe('what a request names', () => {
  test('the Host header and the path, as most requests do', () => {
    expect(parseRequestTarget('GET', '/a?b=c', ['Web:8082'])).toEqual({
      host: 'web',
      path: '/a?b=c',
      authority: 'Web:8082',
    })
  })

  test.each([
    ['http://other/a', '/a'],
    ['HTTP://other:81', '/'],
    ['https://other?q', '/?q'],
  ])('a target in absolute form (%s) outranks the header', (target, path) => {
    expect(parseRequestTarget('GET', target, ['web'])).toMatchObject({ host: 'other', path })
  })

  test('OPTIONS may ask about everything', () => {
    expect(parseRequestTarget('OPTIONS', '*', ['web'])?.path).toBe('*')
  })

  test.each([
    ['no Host', 'GET', '/', []],
    ['two Hosts', 'GET', '/', ['web', 'web']],
    ['an asterisk for GET', 'GET', '*', ['web']],
    ['user information', 'GET', 'http://root@web/', ['web']],
    ['another scheme', 'GET', 'ftp://web/', ['web']],
    ['an unreadable Host', 'GET', '/', ['we b']],
  ])('%s is malformed', (_, method, target, hosts) => {
    expect(parseRequestTarget(method, target, hosts)).toBeUndefined()
  })
})
