import { expect, test } from 'vitest'
import { passes, pathTestsOf } from './rule.ts'

test.each([
  ['Host(`a`)', []],
  ['Host(`a`) || Host(`b`)', []],
  ['Host("a")', []],
  ['Host(`a`) && PathPrefix(`/api`)', [{ kind: 'PathPrefix', path: '/api' }]],
  ['PathPrefix(`/api`) && (Host(`a`) || Host(`b`))', [{ kind: 'PathPrefix', path: '/api' }]],
  [
    'Host(`a`) && (Path(`/x`) || PathPrefix(`/y`))',
    [
      { kind: 'Path', path: '/x' },
      { kind: 'PathPrefix', path: '/y' },
    ],
  ],
])('the paths of %s', (rule, tests) => {
  expect(pathTestsOf(rule)).toEqual(tests)
})

test.each([
  'HostRegexp(`.*`)',
  'Host(`a`) && Method(`GET`)',
  'Host(`a`) && !PathPrefix(`/x`)',
  'Host(`a`) && PathPrefix(`/x`) || Host(`b`)',
  'Host(`a`) || PathPrefix(`/x`)',
  'Host(`a`) && PathPrefix(`/x`) && PathPrefix(`/x/y`)',
  'Host(`a`) && Header(`k`, `a && b`)',
  '(Host(`a`) && Path(`/x`))',
])('%s is left to Traefik', rule => {
  expect(pathTestsOf(rule)).toBeUndefined()
})

test.each([
  ['PathPrefix', '/api', '/api/v1', true],
  ['PathPrefix', '/api', '/apis', true],
  ['PathPrefix', '/api', '/web?next=/api', false],
  ['Path', '/api', '/api?x=1', true],
  ['Path', '/api', '/api/v1', false],
] as const)('%s %s asked about %s says %s', (kind, path, asked, answer) => {
  expect(passes([{ kind, path }], asked)).toBe(answer)
})
