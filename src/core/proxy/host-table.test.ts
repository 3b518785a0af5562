import { expect, test } from 'vitest'
import { serviceId } from '../../kernel/units.ts'
import type { Pool, Route } from '../routing/index.ts'
import { createHostTable } from './host-table.ts'

const aPool = (name: string): Pool => ({ name, service: serviceId(name), members: [] })
const aRoute = (over: Partial<Route>): Route => ({
  name: 'r',
  rule: 'Host(`web`)',
  hosts: ['web'],
  pool: 'web',
  ...over,
})

function table(routes: readonly Route[]) {
  const pools = ['web', 'api', 'docs'].map(aPool)
  return createHostTable({ routes, pools, complaints: [] })
}

test('a host leads to the pool of its route', () => {
  const hosts = table([aRoute({ rule: 'Host(`web`) || Host(`www`)', hosts: ['web', 'www'] })])
  expect(hosts.find('GET', { host: 'www', path: '/any' })?.name).toBe('web')
  expect(hosts.find('GET', { host: 'other', path: '/any' })).toBeUndefined()
  expect(hosts.size).toBe(2)
})

test('a rule that names no host is not served', () => {
  expect(table([aRoute({ rule: 'PathPrefix(`/`)', hosts: [] })]).size).toBe(0)
})

test('two services share a host by path, whatever the order of the routes', () => {
  const routes = [
    aRoute({ name: 'a' }),
    aRoute({ name: 'b', rule: 'Host(`web`) && PathPrefix(`/api`)', pool: 'api' }),
    aRoute({ name: 'c', rule: 'Host(`web`) && Path(`/api/docs`)', pool: 'docs', priority: 1000 }),
  ]
  for (const order of [routes, [...routes].reverse()]) {
    const hosts = table(order)
    expect(hosts.find('GET', { host: 'web', path: '/' })?.name).toBe('web')
    expect(hosts.find('GET', { host: 'web', path: '/api/v1' })?.name).toBe('api')
    expect(hosts.find('GET', { host: 'web', path: '/api/docs?page=2' })?.name).toBe('docs')
  }
})

test('a path nobody asks for is not served', () => {
  const hosts = table([aRoute({ rule: 'Host(`web`) && PathPrefix(`/api`)' })])
  expect(hosts.find('GET', { host: 'web', path: '/api' })?.name).toBe('web')
  expect(hosts.find('GET', { host: 'web', path: '/' })).toBeUndefined()
})

test('a rule only Traefik can evaluate counts while its host leads nowhere else', () => {
  const strange = aRoute({ name: 'a', rule: 'Host(`web`) && Header(`k`, `v`)', pool: 'api' })
  expect(table([strange]).find('GET', { host: 'web', path: '/' })?.name).toBe('api')
  expect(table([strange, aRoute({ name: 'b' })]).find('GET', { host: 'web', path: '/' })?.name).toBe('web')
})

test('a route to a pool that does not exist serves nothing', () => {
  expect(table([aRoute({ pool: 'gone' })]).find('GET', { host: 'web', path: '/' })).toBeUndefined()
})
