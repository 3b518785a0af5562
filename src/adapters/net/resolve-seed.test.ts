import { expect, test } from 'vitest'
import { parseSeed, seedResolver } from './resolve-seed.ts'

test.each([
  ['node-a', { host: 'node-a' }],
  [' node-a.tail.ts.net:7947 ', { host: 'node-a.tail.ts.net', port: 7947 }],
  ['100.64.0.1', { host: '100.64.0.1' }],
  ['100.64.0.1:7946', { host: '100.64.0.1', port: 7946 }],
  ['fd7a:115c:a1e0::1', { host: 'fd7a:115c:a1e0::1' }],
  ['[fd7a:115c:a1e0::1]:7946', { host: 'fd7a:115c:a1e0::1', port: 7946 }],
  ['[::1]', { host: '::1' }],
])('%j is a seed', (text, wanted) => {
  expect(parseSeed(text)).toEqual(wanted)
})

test.each([
  '',
  ':7946',
  'node-a:',
  'node-a:0',
  'node-a:65536',
  'node-a:http',
  'a b',
  'http://node-a',
  '[node-a]:1',
  '[::1',
  '::1]:5',
])('%j is no seed', text => {
  expect(() => parseSeed(text)).toThrow(expect.objectContaining({ code: 'SEED_MALFORMED' }))
})

test('literals are not looked up, names give every address once', async () => {
  const asked: string[] = []
  const resolve = seedResolver(7946, host => {
    asked.push(host)
    return Promise.resolve(['10.0.0.1', '10.0.0.2', '10.0.0.1'])
  })
  expect(await resolve('10.9.9.9')).toEqual([{ ip: '10.9.9.9', port: 7946 }])
  expect(await resolve('node-a:1')).toEqual([
    { ip: '10.0.0.1', port: 1 },
    { ip: '10.0.0.2', port: 1 },
  ])
  expect(asked).toEqual(['node-a'])
})

test('a name nobody knows is an error with advice', async () => {
  const resolve = seedResolver(7946, () => Promise.reject(new Error('ENOTFOUND')))
  await expect(resolve('nowhere')).rejects.toMatchObject({
    code: 'SEED_UNRESOLVABLE',
    hint: expect.stringContaining('MagicDNS'),
  })
})
