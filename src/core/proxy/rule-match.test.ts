import { expect, test } from 'vitest'
import { parseRule } from '../routing/index.ts'
import { matchesRule, routingPath } from './rule-match.ts'

function verdict(text: string, host: string, path = '/', method = 'GET'): boolean | undefined {
  const rule = parseRule(text)
  if (!rule.ok) throw new RangeError(rule.error.message)
  return matchesRule(rule.value, { host, path, method })
}

test.each([
  ['Host(`web`)', 'web', '/', true],
  ['Host(`Web`) || Host(`www`)', 'web', '/', true],
  ['Host(`web`) || Host(`www`)', 'www', '/', true],
  ['Host(`web`)', 'www', '/', false],
  ['Host(`web`) && PathPrefix(`/api`)', 'web', '/api/v1', true],
  ['Host(`web`) && PathPrefix(`/api`)', 'web', '/apis', true],
  ['Host(`web`) && PathPrefix(`/api`)', 'web', '/', false],
  ['Host(`web`) && Path(`/api`)', 'web', '/api/v1', false],
  ['Host(`web`) && !PathPrefix(`/admin`)', 'web', '/admin', false],
  ['Host(`a`) && Path(`/x`) || Host(`web`)', 'web', '/y', true],
] as const)('%s asked for %s%s says %s', (rule, host, path, answer) => {
  expect(verdict(rule, host, path)).toBe(answer)
})

test('a method decides too', () => {
  expect(verdict('Host(`web`) && Method(`post`)', 'web', '/', 'POST')).toBe(true)
  expect(verdict('Host(`web`) && Method(`POST`)', 'web', '/', 'GET')).toBe(false)
})

test.each([
  ['Host(`web`) && Header(`k`, `v`)', undefined],
  ['!Header(`k`, `v`)', undefined],
  ['Host(`other`) && Header(`k`, `v`)', false],
  ['Host(`web`) || HostRegexp(`.*`)', true],
  ['Host(`other`) || HostRegexp(`.*`)', undefined],
])('what only Traefik can evaluate is told only as far as the rest decides: %s', (rule, answer) => {
  expect(verdict(rule, 'web')).toBe(answer)
})

test.each([
  ['/api?x=/y', '/api'],
  ['/%61pi', '/api'],
  ['/a%2Fb', '/a%2Fb'],
  ['/caf%C3%A9', '/café'],
  ['/%zz', undefined],
  ['*', '*'],
])('the path Traefik compares for %s is %s', (target, path) => {
  expect(routingPath(target)).toBe(path)
})
