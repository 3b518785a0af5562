/**
 * Real agents whose threads are held up from outside: a busy main thread is no reason to suspect a node, and a cluster
 * thread that breaks or hangs ends the agent. What holds them up is loaded before the program and is no part of it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { runningWorkloads } from '../../src/adapters/process/process-state.ts'
import { endAgents, startAgent, temporaryFolder, type AgentProcess } from './agent-process.ts'
import { untilTrue } from './watching.ts'

afterEach(endAgents)

const blockMs = 4_000
const triggerFile = 'break-the-thread'
const hangFile = 'hang-the-thread'
const sleeperOf = (name: string): object => ({
  service: `sleeper-${name}`,
  command: 'sleep',
  args: ['600'],
  port: 9_000,
})
/** SIGUSR2 blocks the main thread alone; one file makes every other thread throw, another makes it hang. */
function preload(folder: string): string {
  const file = join(folder, 'preload.mjs')
  const lines = [
    `import { existsSync } from 'node:fs'`,
    `import { isMainThread } from 'node:worker_threads'`,
    `const block = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${blockMs})`,
    `const look = () => { if (existsSync(${JSON.stringify(join(folder, triggerFile))})) throw new RangeError('planted') }`,
    `const hang = () => { while (existsSync(${JSON.stringify(join(folder, hangFile))})); }`,
    `if (isMainThread) process.on('SIGUSR2', block)`,
    `else setInterval(() => (look(), hang()), 50).unref()`,
  ]
  writeFileSync(file, lines.join('\n'))
  return pathToFileURL(file).href
}

interface NodesAnswer {
  readonly nodes: readonly { readonly name: string; readonly status: string }[]
}

interface ServiceAnswer {
  readonly instances: readonly { readonly state: string; readonly since: string }[]
}

async function statusAt(agent: AgentProcess, name: string): Promise<string | undefined> {
  return (await agent.api<NodesAnswer>('/api/v1/nodes')).nodes.find(node => node.name === name)?.status
}

/** Wall clock, ms; not a number while it is not healthy. */
async function healthySince(at: AgentProcess): Promise<number> {
  const [instance] = (await at.api<ServiceAnswer>('/api/v1/services/sleeper-b')).instances
  return instance?.state === 'healthy' ? Date.parse(instance.since) : Number.NaN
}

async function suspicionsOf(agents: readonly AgentProcess[]): Promise<number> {
  const counts = await Promise.all(agents.map(agent => agent.metric('constellation_gossip_suspicions_total')))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function threeAgents() {
  const folder = temporaryFolder()
  const slow = await startAgent({ name: 'slow', preload: preload(folder) })
  const seeds = [slow.seed]
  const peers = await Promise.all(['b', 'c'].map(name => startAgent({ name, seeds, processes: [sleeperOf(name)] })))
  const all = [slow, ...peers]
  await untilTrue('all know all', 20_000, async () => {
    const seen = await Promise.all(all.flatMap(at => all.map(({ name }) => statusAt(at, name))))
    return seen.every(status => status === 'alive')
  })
  return { folder, slow, peers }
}

test('a main thread that stands still for four seconds is not suspected, and catches up afterwards', async () => {
  const { slow, peers } = await threeAgents()
  const b = peers.find(({ name }) => name === 'b')
  const [workload] = runningWorkloads(join(b?.folder ?? '', 'data'))
  await untilTrue('its workload is known', 10_000, async () => (await healthySince(slow)) > 0)
  const before = await suspicionsOf(peers)

  const blockedWallMs = Date.now()
  const blockedAt = performance.now()
  slow.signal('SIGUSR2')
  const answeredAt = untilTrue('it answers again', 30_000, async () => (await slow.get('/health')).status > 0).then(
    () => performance.now(),
  )
  process.kill(-(workload?.pid ?? 0), 'SIGKILL')
  const seen = new Set<string | undefined>()
  while (performance.now() - blockedAt < blockMs + 3_000)
    for (const peer of peers) seen.add(await statusAt(peer, slow.name))

  expect([...seen]).toEqual(['alive'])
  expect(await suspicionsOf(peers)).toBe(before)
  // Otherwise nothing was blocked, and this test shows nothing.
  expect((await answeredAt) - blockedAt).toBeGreaterThan(blockMs - 500)
  expect(await slow.metric('constellation_gossip_suspicions_total')).toBe(0)
  // Its engine started it anew meanwhile, so it is healthy, as it was.
  expect(await healthySince(slow)).toBeGreaterThan(blockedWallMs)
  // Its cluster heard of it while nobody could write the line.
  expect(slow.output()).toMatch(/"key":"sleeper-b@b#\d+".*"waitedMs":\d{3,}.*"record received"/)
})

test('a whole process that stands still is suspected: the test above can fail', async () => {
  const { slow, peers } = await threeAgents()
  const before = await suspicionsOf(peers)
  slow.signal('SIGSTOP')
  try {
    await untilTrue('a peer suspects it', blockMs + 1_000, async () => (await suspicionsOf(peers)) > before)
  } finally {
    slow.signal('SIGCONT')
  }
  await untilTrue('it has refuted', 15_000, async () => {
    const statuses = await Promise.all(peers.map(peer => statusAt(peer, slow.name)))
    return statuses.every(status => status === 'alive')
  })
})

test('a thread that breaks ends the agent as a bug does, with its stack', async () => {
  const folder = temporaryFolder()
  const agent = await startAgent({ name: 'breaking', preload: preload(folder) })
  writeFileSync(join(folder, triggerFile), '')
  expect(await agent.exited()).toBe(1)
  const line = agent
    .output()
    .split('\n')
    .find(text => text.includes('a bug ends this agent: planted'))
  expect(line).toMatch(/"name":"RangeError".*"stack":"RangeError: planted\\n.*preload\.mjs/)
})

test('a thread that hangs ends the agent: what it serves would only grow older', async () => {
  const folder = temporaryFolder()
  const agent = await startAgent({ name: 'hanging', preload: preload(folder) })
  writeFileSync(join(folder, hangFile), '')
  expect(await agent.exited()).toBe(1)
  expect(agent.output()).toContain('a bug ends this agent: the thread of the cluster hangs')
})
