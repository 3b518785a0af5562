import { expect, test } from 'vitest'
import { createAuthorise, type AuthQuestion } from './auth.ts'

const token = 'a-token-of-some-length'
const authorise = createAuthorise({ token, hostNames: ['Node-A'] })

function read(over: Partial<AuthQuestion> = {}, headers: AuthQuestion['headers'] = {}): AuthQuestion {
  return { method: 'GET', remoteAddress: '127.0.0.1', headers: { host: '127.0.0.1:8080', ...headers }, ...over }
}

test.each([
  ['IPv4 loopback', read()],
  ['IPv6 loopback', read({ remoteAddress: '::1' }, { host: '[::1]:8080' })],
  ['mapped loopback', read({ remoteAddress: '::ffff:127.0.0.1' })],
  ['another loopback address', read({ remoteAddress: '127.0.0.7' })],
  ['HEAD', read({ method: 'HEAD' })],
  ['localhost by name', read({}, { host: 'localhost:8080' })],
  ['a configured name, in any case', read({}, { host: 'NODE-A' })],
  ['the mesh address as Host', read({}, { host: '100.64.0.1:8080' })],
])('a local read is open: %s', (_, question) => {
  expect(authorise(question)).toEqual({ kind: 'allowed' })
})

test.each([
  ['another node', read({ remoteAddress: '100.64.0.2' }), 'only loopback'],
  ['another node that looks local', read({ remoteAddress: '128.127.0.1' }), 'only loopback'],
  ['a change', read({ method: 'POST' }), 'only reads'],
  ['a rebound name', read({}, { host: 'evil.example:8080' }), 'evil.example'],
  ['a name that begins like an address', read({}, { host: '127.0.0.1.evil.example' }), 'evil.example'],
  ['no Host at all', read({ headers: {} }), 'Host ""'],
  ['a reverse proxy (X-Forwarded-For)', read({}, { 'x-forwarded-for': '203.0.113.9' }), 'x-forwarded-for'],
  ['a reverse proxy (Forwarded)', read({}, { forwarded: 'for=203.0.113.9' }), 'forwarded'],
  ['a reverse proxy (Via)', read({}, { via: '1.1 proxy' }), 'via'],
])('without a token it is not open: %s', (_, question, why) => {
  const verdict = authorise(question)
  expect(verdict).toMatchObject({ kind: 'refused', code: 'TOKEN_MISSING' })
  expect(verdict).toHaveProperty('detail', expect.stringContaining(why))
})

test.each([
  ['from another node', read({ remoteAddress: '100.64.0.2' })],
  ['for a change', read({ method: 'DELETE' })],
  ['through a proxy', read({}, { 'x-forwarded-for': '203.0.113.9' })],
  ['under any name', read({}, { host: 'constellation.example.org' })],
])('with the token it is open %s', (_, { method, remoteAddress, headers }) => {
  const withToken = { ...headers, authorization: `Bearer ${token}` }
  expect(authorise({ method, remoteAddress, headers: withToken })).toEqual({ kind: 'allowed' })
})

test.each([
  ['Bearer wrong'],
  [`Bearer ${token}x`],
  [`Bearer ${token.slice(1)}`],
  ['Bearer'],
  [`Basic ${token}`],
  [token],
  [''],
])('a wrong token is refused even over loopback: %j', authorization => {
  expect(authorise(read({}, { authorization }))).toMatchObject({ kind: 'refused', code: 'TOKEN_WRONG' })
})

test('a refusal never repeats what was sent', () => {
  const verdict = authorise(read({}, { authorization: 'Bearer hunter2' }))
  expect(JSON.stringify(verdict)).not.toContain('hunter2')
})
