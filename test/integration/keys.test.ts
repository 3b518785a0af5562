/** The key of three real agents, changed while they run, through the command line; and agents with a wrong key, or none. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { keyFingerprint } from '../../src/adapters/node/key-fingerprint.ts'
import { endAgents, makeAgent, temporaryFolder } from './agent-process.ts'
import type { AgentProcess } from './agent-process.ts'
import { untilTrue } from './watching.ts'

interface NodesAnswer {
  readonly nodes: readonly { readonly name: string; readonly status: string }[]
}

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

const mainFile = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url))
const names = ['node-a', 'node-b', 'node-c']

afterEach(endAgents)

/** An agent whose gossip begins with this key. */
async function startWithKey(name: string, key: string | undefined, seeds: readonly string[]): Promise<AgentProcess> {
  const agent = await makeAgent({ name, seeds })
  if (key !== undefined) configureGossip(agent, { key })
  agent.start()
  await untilAnswers(agent)
  return agent
}

/** Patient: several start at once here. */
function untilAnswers(agent: AgentProcess): Promise<void> {
  return untilTrue(`${agent.name} is up`, 45_000, async () => (await agent.get('/api/v1/status')).status === 200)
}

function configureGossip({ configFile }: AgentProcess, gossip: object): void {
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as { gossip: object }
  writeFileSync(configFile, JSON.stringify({ ...config, gossip: { ...config.gossip, ...gossip } }))
}

async function three(key: string): Promise<readonly [AgentProcess, AgentProcess, AgentProcess]> {
  const a = await startWithKey('node-a', key, [])
  const [b, c] = await Promise.all(['node-b', 'node-c'].map(name => startWithKey(name, key, [a.seed])))
  if (b === undefined || c === undefined) throw new Error('two were started')
  await untilTrue('all know each other', 15_000, async () => {
    const seen = await Promise.all([a, b, c].map(statuses))
    return seen.every(status => names.every(name => status[name] === 'alive'))
  })
  return [a, b, c]
}

async function statuses(agent: AgentProcess): Promise<Readonly<Record<string, string>>> {
  const { nodes } = await agent.api<NodesAnswer>('/api/v1/nodes')
  return Object.fromEntries(nodes.map(({ name, status }) => [name, status]))
}

/** `constellation keys ...`, asking that agent with its own token. */
function keys(agent: AgentProcess, args: readonly string[], input = ''): Promise<Said> {
  const asked = ['--api', `${agent.ip}:${agent.ports.api}`, '--token-file', tokenFile(agent)]
  return constellation(['keys', ...args, ...asked], input)
}

function constellation(args: readonly string[], input = ''): Promise<Said> {
  const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => (out += String(chunk)))
  child.stderr.on('data', chunk => (err += String(chunk)))
  child.stdin.end(input)
  return new Promise(resolve => child.once('close', code => resolve({ code: code ?? -1, out, err })))
}

const aKey = (): string => randomBytes(32).toString('base64')

const tokenFile = ({ folder }: AgentProcess): string => join(folder, 'secrets', 'api-token.txt')
const ringFile = ({ folder }: AgentProcess): string => join(folder, 'secrets', 'gossip-keyring.json')
const ringOf = (agent: AgentProcess): unknown => JSON.parse(readFileSync(ringFile(agent), 'utf8'))
const nameOf = (key: string): string => keyFingerprint(Buffer.from(key, 'base64'))

test('a key is rotated while three agents run: nobody is suspected, and a restart finds the new keyring', async () => {
  const [old, fresh] = [aKey(), (await constellation(['keys', 'generate'])).out.trim()]
  const all = await three(old)
  const [a, b, c] = all
  const file = join(temporaryFolder(), 'new.key')
  writeFileSync(file, fresh, { mode: 0o600 })

  const installed = await keys(a, ['install', '--key-file', file])
  expect(installed).toMatchObject({ code: 0, err: '' })
  for (const name of names)
    expect(installed.out).toMatch(new RegExp(`^${name} +done +${nameOf(old)} +${nameOf(fresh)}`, 'm'))
  expect(await keys(b, ['install', '-'], `${fresh}\n`)).toMatchObject({ code: 0 })
  for (const agent of all) expect(ringOf(agent)).toEqual({ version: 1, keys: [old, fresh] })

  expect(await keys(b, ['remove', nameOf(old)])).toMatchObject({
    code: 1,
    err: expect.stringContaining('still encrypts'),
  })
  expect(await keys(b, ['use', nameOf(fresh)])).toMatchObject({ code: 0 })
  expect(await keys(c, ['remove', nameOf(old)])).toMatchObject({ code: 0 })
  for (const agent of all) {
    expect(ringOf(agent)).toEqual({ version: 1, keys: [fresh] })
    expect(statSync(ringFile(agent)).mode & 0o777).toBe(0o600)
  }

  // Probes of the new key only: each second one member, so all pairs within a few rounds.
  const probes = async (agent: AgentProcess): Promise<number> =>
    (await agent.api<{ gossip: { probes: number } }>('/api/v1/status')).gossip.probes
  const before = await probes(a)
  await untilTrue('six rounds of probes have passed', 15_000, async () => (await probes(a)) >= before + 6)
  for (const agent of all) {
    expect(await statuses(agent)).toEqual({ 'node-a': 'alive', 'node-b': 'alive', 'node-c': 'alive' })
    expect(await agent.metric('constellation_gossip_suspicions_total')).toBe(0)
    expect(await agent.metric('constellation_gossip_refused_total')).toBe(0)
    for (const key of [old, fresh]) expect(agent.output()).not.toContain(key)
  }

  expect(await c.stop()).toBe(0)
  c.start()
  await untilAnswers(c)
  await untilTrue('node-c is back', 15_000, async () => (await statuses(c))['node-a'] === 'alive')
  expect(c.output()).toContain('gossip.key is none of the keys in the keyring')
  const listed = await keys(c, ['list'])
  expect(listed.code).toBe(0)
  for (const name of names) expect(listed.out).toMatch(new RegExp(`^${name} +done +${nameOf(fresh)} +-`, 'm'))
})

test('agents with a wrong key, or none, are refused and counted, and never become members', async () => {
  const [a] = await three(aKey())
  const wrong = await startWithKey('wrong', aKey(), [a.seed])
  const clear = await startWithKey('clear', undefined, [a.seed])
  const refusals = (reason: string): Promise<number> =>
    a.metric('constellation_gossip_refused_total', `reason="${reason}"`)
  await untilTrue(
    'both were refused',
    20_000,
    async () => (await refusals('badKey')) > 1 && (await refusals('plaintext')) > 1,
  )
  expect(Object.keys(await statuses(a)).sort()).toEqual(names)
  expect(Object.keys(await statuses(wrong))).toEqual(['wrong'])
  expect(Object.keys(await statuses(clear))).toEqual(['clear'])

  const told = await keys(clear, ['install', aKey()])
  expect(told.code).toBe(1)
  expect(told.err).toContain('gossip.key')
})

test('a keyring that cannot be read ends the start, with the reason: gossip would be in clear', async () => {
  const agent = await makeAgent({ name: 'node-a' })
  configureGossip(agent, { keyringFile: join(agent.folder, 'ring.json') })
  writeFileSync(join(agent.folder, 'ring.json'), '{}', { mode: 0o600 })
  agent.start()
  expect(await agent.exited()).toBe(1)
  expect(agent.output()).toContain('the gossip keyring ring.json does not hold keys')
})
