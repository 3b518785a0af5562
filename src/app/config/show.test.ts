import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fields } from '../config.ts'
import { loadConfig } from '../load-config.ts'
import { leaves } from './leaves.ts'
import { nodeSources } from './node-access.ts'
import { configFlags, showConfig } from './show.ts'

const key = Buffer.alloc(32, 7).toString('base64')

test('a TypeScript file in a real directory is loaded, and every value is shown with its origin', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'constellation-config-'))
  try {
    const file = join(cwd, 'constellation.config.ts')
    await writeFile(
      file,
      "const domain: string = 'example.org'\nexport default { domain, proxy: { timeoutMs: '90s' } }\n",
    )
    const env = { REDIS_PASSWORD: 'hunter2', CONSTELLATION_GOSSIP_KEY: key }
    const shown = showConfig(await loadConfig(nodeSources({ flags: { '--node-name': 'a' }, env, cwd })))
    const byPath = new Map(shown.map(setting => [setting.path, setting]))
    expect(byPath.get('domain')).toMatchObject({ value: 'example.org', origin: file })
    expect(byPath.get('proxy.timeoutMs')).toMatchObject({ value: '1m30s', json: 90_000, origin: file, unit: 'ms' })
    expect(byPath.get('api.bind')).toMatchObject({ value: 'loopback,mesh', json: ['loopback', 'mesh'], unused: false })
    expect(byPath.get('node.name')).toMatchObject({ value: 'a', origin: 'flag --node-name' })
    expect(byPath.get('publicIp')).toMatchObject({ value: '', json: null, origin: 'default' })
    expect(byPath.get('redis.password')).toMatchObject({
      value: '(set, not shown)',
      json: '(set, not shown)',
      unused: true,
    })
    expect(byPath.get('gossip.key')).toMatchObject({
      value: '(set, not shown)',
      json: '(set, not shown)',
      unused: false,
    })
    expect(byPath.get('gossip.allowedSources')).toMatchObject({
      origin: expect.stringContaining('default: the ranges'),
    })
    expect(JSON.stringify(shown)).not.toContain('hunter2')
    expect(JSON.stringify(shown)).not.toContain(key)
  } finally {
    await rm(cwd, { recursive: true })
  }
})

test('the environment of a process is shown by name only', async () => {
  const processes = [{ service: 'web', command: 'node', env: { PASSWORD: 'hunter2' } }]
  const sources = nodeSources({ flags: { '--config': 'c.json', '--node-name': 'a' }, env: {}, cwd: '/' })
  const loaded = await loadConfig({
    ...sources,
    readFile: () => Promise.resolve(JSON.stringify({ engine: { processes } })),
  })
  const shown = showConfig(loaded).find(({ path }) => path === 'engine.processes')
  expect(shown?.value).toBe('web PASSWORD=...')
  expect(shown?.json).toMatchObject([{ service: 'web', command: 'node', env: { PASSWORD: '...' } }])
})

test('what this version reads and does not use is marked', () => {
  const unused = leaves(fields).flatMap(({ path, field }) => (field.unused === true ? [path] : []))
  expect(unused).toEqual([
    'paths.configPath',
    'raft.port',
    'cloudflare.zoneId',
    'headscale.url',
    'redis.password',
    'redis.passwordFile',
    'migration.rulesPath',
  ])
})

test('no two settings share a flag or an environment name, and every flag is a long option', () => {
  const all = leaves(fields)
  const names = [...configFlags().map(({ name }) => name), ...all.flatMap(leaf => leaf.env)]
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  expect(configFlags().filter(({ name }) => !/^--[a-z]+(-[a-z]+)*$/.test(name))).toEqual([])
})

test('every number with a time or an amount in it says its unit', () => {
  const silent = leaves(fields).filter(({ path, field }) => path.endsWith('Ms') && field.unit !== 'ms')
  expect(silent.map(({ path }) => path)).toEqual([])
})
