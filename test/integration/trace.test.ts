/**
 * A change on one node followed to another, over real agents in their own processes: the journal of each, the timeline
 * the command line makes of them, and `members --watch` while an agent is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endAgents, startAgent, temporaryFolder, type AgentProcess } from './agent-process.ts'
import { untilTrue } from './watching.ts'

interface Timeline {
  readonly key: string
  readonly totalMs: number
  readonly entries: readonly {
    readonly node: string
    readonly hop: string
    readonly detail: string
    readonly sinceFirstMs: number
  }[]
  readonly clocks: readonly { readonly uncertaintyMs: number; readonly wallAheadMs: number }[]
}

const mainFile = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url))
const flag = join(temporaryFolder(), 'unwell')
const labels = { 'constellation.expose': 'true' }
const health = { command: ['test', '!', '-e', flag], intervalMs: 200, timeoutMs: 1_000, retries: 2 }
const web = { service: 'web', command: 'sleep', args: ['600'], port: 9_100, labels, health }
/** Keeps the document from being empty, which is never served. */
const other = { service: 'other', command: 'sleep', args: ['600'], port: 9_101, labels }

let [a, b, c]: AgentProcess[] = []
const children: ChildProcess[] = []

beforeAll(async () => {
  a = await startAgent({ name: 'node-a', processes: [web, other] })
  ;[b, c] = await Promise.all(
    ['node-b', 'node-c'].map(name => startAgent({ name, seeds: [agent(a).seed], processes: [other] })),
  )
})

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  endAgents()
})

function agent(one: AgentProcess | undefined): AgentProcess {
  if (one === undefined) throw new Error('it was not started')
  return one
}

const apiOf = (one: AgentProcess): string => `http://${one.ip}:${one.ports.api}`

interface Command {
  readonly child: ChildProcess
  readonly out: () => string
  readonly ended: Promise<number | null>
}

function constellation(...args: readonly string[]): Command {
  const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let out = ''
  child.stdout.on('data', chunk => (out += String(chunk)))
  return { child, out: () => out, ended: new Promise(resolve => child.once('close', resolve)) }
}

async function trafficOn(one: AgentProcess): Promise<string | undefined> {
  const { instances } = await one.api<{ instances: { node: string; traffic: string }[] }>('/api/v1/services/web')
  return instances.find(({ node }) => node === 'node-a')?.traffic
}

test('a container turns unhealthy on A: the way to the document of B is one timeline in a sensible order', async () => {
  const [authors, readers] = [agent(a), agent(b)]
  await untilTrue('B sends requests to web on A', 20_000, async () => (await trafficOn(readers)) === 'yes')
  writeFileSync(flag, '')
  await untilTrue('B sends none any more', 20_000, async () => (await trafficOn(readers)) === 'no')
  await untilTrue('its document was polled', 10_000, async () => {
    await readers.get('/', readers.ports.provider)
    const { hops } = await readers.api<{ hops: { hop: string }[] }>('/api/v1/gossip/trace/web@node-a')
    return hops.some(({ hop }) => hop === 'served')
  })

  const args = ['gossip', 'trace', 'web@node-a', '--api', apiOf(readers), '--also', apiOf(authors), '--json']
  const asked = constellation(...args)
  expect(await asked.ended).toBe(0)
  const { key, entries, clocks, totalMs } = JSON.parse(asked.out()) as Timeline
  expect(key).toMatch(/^web@node-a#\d+$/)

  const on = (node: string): readonly string[] => entries.filter(entry => entry.node === node).map(({ hop }) => hop)
  const atA = ['observed', 'decided', 'published', 'sent']
  expect(on('node-a').filter(hop => atA.includes(hop))).toEqual(atA)
  const atB = ['received', 'viewed', 'planned', 'turned', 'documented', 'served']
  expect(on('node-b').filter(hop => atB.includes(hop))).toEqual(atB)

  const at = (node: string, hop: string): number =>
    entries.find(entry => entry.node === node && entry.hop === hop)?.sinceFirstMs ?? Number.NaN
  const [doubtMs = 0] = clocks.map(({ uncertaintyMs }) => uncertaintyMs).sort((x, y) => y - x)
  expect(at('node-b', 'received')).toBeGreaterThanOrEqual(at('node-a', 'published') - 2 * doubtMs)
  expect(at('node-b', 'received') - at('node-a', 'published')).toBeLessThan(3_000)
  expect(at('node-b', 'documented') - at('node-b', 'planned')).toBeGreaterThan(150)
  expect(totalMs).toBe(at('node-b', 'served'))
  // They share one clock here, so whatever else they say would be wrong.
  for (const { wallAheadMs, uncertaintyMs } of clocks) expect(Math.abs(wallAheadMs)).toBeLessThan(uncertaintyMs + 2)

  const forPeople = constellation(...args.slice(0, -1))
  expect(await forPeople.ended).toBe(0)
  expect(forPeople.out()).toMatch(/total \d+\.\d ms from observed on node-a to served on node-b/)
  rmSync(flag)
})

test('members --watch sees a kill, and ends with 0 by Ctrl-C', async () => {
  const watching = constellation('members', '--watch', '--json', '--api', apiOf(agent(b)))
  const seen = (): string[] =>
    watching
      .out()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as { member: string; to: string })
      .filter(({ member }) => member === 'node-c')
      .map(({ to }) => to)
  await untilTrue('C is seen alive', 10_000, () => seen().join() === 'alive')
  agent(c).signal('SIGKILL')
  await untilTrue('C is seen dead', 60_000, () => seen().at(-1) === 'dead')
  watching.child.kill('SIGINT')
  expect(await watching.ended).toBe(0)
})

test('the gossip metrics have figures for people', async () => {
  const one = agent(b)
  expect(await one.metric('constellation_gossip_probes_total')).toBeGreaterThan(0)
  expect(await one.metric('constellation_gossip_push_pulls_total', 'outcome="ok"')).toBeGreaterThan(0)
  expect(await one.metric('constellation_gossip_stream_bytes_total', 'direction="received"')).toBeGreaterThan(0)
  await untilTrue('C is counted as dead', 5_000, async () => {
    return (await one.metric('constellation_gossip_members', 'status="dead"')) === 1
  })
})
