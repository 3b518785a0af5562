/**
 * Three real nodes (a network namespace and a Docker engine each) beside untouched compose-style stacks.
 * The long partition lasts three minutes, as an operator would live through it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crashAgent, get, startAgent, stopAgent } from '../../lab/agent.ts'
import { docker, startEngine, stopEngine } from '../../lab/engine.ts'
import { down, heal, partition, powerOff, powerOn, up } from '../../lab/lab.ts'
import { setHealth, startService } from '../../lab/stack.ts'
import { loadState, nodeOf, saveState, type LabNode } from '../../lab/state.ts'
import { programProbe, requirePartner } from './partners.ts'
import { healthEvents, p95, untilTrue } from './watching.ts'

const available = await requirePartner('the lab', async () => {
  if (process.getuid?.() !== 0) return 'it needs root for network namespaces'
  return programProbe('dockerd', ['--version'])()
})
const quiet = (): void => undefined
const partitionMs = 180_000
const rounds = 20

interface NodeAnswer {
  readonly status: string
  readonly agent: string
}

function lab(name: 'a' | 'b' | 'c'): LabNode {
  return nodeOf(loadState(), name)
}

function nodes(): readonly LabNode[] {
  return loadState().nodes
}

async function document(node: LabNode): Promise<string> {
  return (await get(node, 8081, '/')) ?? ''
}

/** Server URLs of a service in the document of `node`. */
async function servers(node: LabNode, pool: string): Promise<readonly string[]> {
  const text = await document(node)
  const parsed = JSON.parse(text === '' ? '{}' : text) as {
    http?: { services?: Record<string, { loadBalancer?: { servers?: { url: string }[] } }> }
  }
  return (parsed.http?.services?.[pool]?.loadBalancer?.servers ?? []).map(server => server.url)
}

async function sees(node: LabNode, other: LabNode): Promise<NodeAnswer | undefined> {
  const text = await get(node, 8080, `/api/v1/nodes/${other.name}`)
  return text === undefined ? undefined : (JSON.parse(text) as NodeAnswer)
}

async function everybodySees(status: string, who: readonly LabNode[] = nodes()): Promise<boolean> {
  const pairs = who.flatMap(node => who.filter(other => other.name !== node.name).map(other => [node, other] as const))
  const seen = await Promise.all(pairs.map(([node, other]) => sees(node, other)))
  return seen.every(answer => answer?.status === status)
}

async function startedAt(node: LabNode): Promise<string> {
  const ids = (await docker(node, ['ps', '--quiet', '--no-trunc', '--filter', 'label=com.docker.compose.project=shop']))
    .trim()
    .split('\n')
    .sort()
  return docker(node, ['inspect', '--format', '{{.Name}} {{.State.StartedAt}} {{.RestartCount}}', ...ids])
}

describe.runIf(available)('three nodes beside three untouched stacks', () => {
  let untouched: readonly string[] = []

  beforeAll(async () => {
    await up(3, { stacks: true, agents: false }, quiet)
    untouched = await Promise.all(nodes().map(startedAt))
    for (const node of nodes()) {
      const state = loadState()
      await startAgent(state, nodeOf(state, node.name))
      saveState(state)
    }
    await untilTrue('everybody sees everybody', 20_000, () => everybodySees('alive'))
  }, 180_000)

  afterAll(() => down(quiet), 120_000)

  test('every node routes to every instance, with and without a published port', async () => {
    for (const node of nodes()) {
      await untilTrue(
        `${node.name} knows three instances of api`,
        10_000,
        async () => (await servers(node, 'shop~api')).length === 3,
      )
      await untilTrue(
        `${node.name} knows three ways to web`,
        10_000,
        async () => (await servers(node, 'shop~web')).length === 3,
      )
      for (const other of nodes()) {
        expect(await get(node, 8082, '/', `api.${other.name}.lab.test`)).toBe(`api on ${other.name}\n`)
        expect(await get(node, 8082, '/', `web.${other.name}.lab.test`)).toBe(`web on ${other.name}\n`)
      }
    }
  })

  test('what is not exposed is not routed', async () => {
    for (const node of nodes()) expect(await document(node)).not.toMatch(/\bdb\b|15432/)
    expect(await get(lab('a'), 8082, '/', 'db.lab.test')).toContain('NO_SUCH_HOST')
  })

  test('a container that turns unhealthy leaves all three documents within 2 s of the engine’s own event, and comes back', async () => {
    // A new container for each round: one that keeps flapping is held back longer each time, as it should be.
    const node = lab('b')
    const events = healthEvents(node)
    const [dropMs, backMs]: [number[], number[]] = [[], []]
    try {
      for (let round = 0; round < rounds; round++) {
        const service = `web${round}`
        const container = `rounds-${service}-1`
        const everywhere = async (count: number): Promise<boolean> => {
          const all = await Promise.all(nodes().map(one => servers(one, `rounds~${service}`)))
          return all.every(urls => urls.length === count)
        }
        await startService(node, 'rounds', { service, exposed: true, hostPort: 19_000 + round })
        await untilTrue(`${service} is routed`, 15_000, () => everywhere(1))
        await events.next('healthy')
        await setHealth(node, container, false)
        const unhealthyAt = await events.next('unhealthy')
        await untilTrue(`all documents dropped ${service}`, 10_000, () => everywhere(0))
        dropMs.push(Math.round(Date.now() - unhealthyAt))
        await setHealth(node, container, true)
        const healthyAt = await events.next('healthy')
        await untilTrue(`all documents have ${service} again`, 15_000, () => everywhere(1))
        backMs.push(Math.round(Date.now() - healthyAt))
        await docker(node, ['rm', '--force', container])
        await untilTrue(
          `${service} is gone`,
          10_000,
          async () => !(await document(node)).includes(`${service}.lab.test`),
        )
      }
    } finally {
      events.stop()
    }
    console.log(`unhealthy to dropped everywhere: p95 ${p95(dropMs)} ms of ${dropMs.join(' ')}`)
    console.log(`healthy to back everywhere: p95 ${p95(backMs)} ms of ${backMs.join(' ')}`)
    expect(p95(dropMs)).toBeLessThanOrEqual(2_000)
  }, 600_000)

  test('a removed container is gone everywhere; a labelled one that turns unhealthy is restarted', async () => {
    const node = lab('c')
    await startService(node, 'extra', {
      service: 'fragile',
      exposed: true,
      hostPort: 18_090,
      labels: ['deunhealth.restart.on.unhealthy=true'],
    })
    for (const one of nodes())
      await untilTrue('it is routed', 15_000, async () => (await servers(one, 'extra~fragile')).length === 1)
    const before = await docker(node, ['inspect', '--format', '{{.State.StartedAt}}', 'extra-fragile-1'])
    await setHealth(node, 'extra-fragile-1', false)
    await untilTrue('it was restarted', 30_000, async () => {
      return (await docker(node, ['inspect', '--format', '{{.State.StartedAt}}', 'extra-fragile-1'])) !== before
    })
    await docker(node, ['rm', '--force', 'extra-fragile-1'])
    for (const one of nodes()) {
      await untilTrue(`${one.name} forgot it`, 10_000, async () => !(await document(one)).includes('18090'))
    }
  })

  test('killing only an agent moves nothing and keeps its routes', async () => {
    const state = loadState()
    const victim = nodeOf(state, 'b')
    const before = await startedAt(victim)
    crashAgent(victim)
    saveState(state)
    const backend = `http://${victim.ip}:18080`
    await untilTrue('its death is noticed', 15_000, async () => (await sees(lab('a'), victim))?.status === 'dead')
    for (let look = 0; look < 20; look++) {
      expect(await servers(lab('a'), 'shop~api')).toContain(backend)
      expect(await get(lab('a'), 8082, '/', 'api.node-b.lab.test')).toBe('api on node-b\n')
    }
    expect((await sees(lab('a'), victim))?.agent).toBe('agentDown')
    await startAgent(state, victim)
    saveState(state)
    await untilTrue('it is back', 20_000, () => everybodySees('alive'))
    expect(await startedAt(victim)).toBe(before)
  })

  test('an agent that stops and starts leaves every container as it was', async () => {
    const state = loadState()
    const node = nodeOf(state, 'c')
    await stopAgent(node)
    await untilTrue(
      'it is announced as restarting',
      15_000,
      async () => (await sees(lab('a'), node))?.agent === 'restarting',
    )
    await startAgent(state, node)
    saveState(state)
    await untilTrue('it is back', 20_000, () => everybodySees('alive'))
    expect(await Promise.all(nodes().map(startedAt))).toEqual(untouched)
  })

  test('an engine that is restarted is picked up again, and nothing is lost', async () => {
    const state = loadState()
    const node = nodeOf(state, 'b')
    const reconnects = async (): Promise<number> => {
      const metrics = (await get(node, 8080, '/metrics')) ?? ''
      return Number(/^constellation_engine_reconnects_total (\d+)/m.exec(metrics)?.[1] ?? 0)
    }
    const before = await reconnects()
    await stopEngine(node)
    await untilTrue('its agent says so', 20_000, async () => {
      return ((await get(node, 8080, '/metrics')) ?? '').includes('constellation_engine_connected 0')
    })
    // What was known stays known: an engine can be gone while its containers run on.
    expect(await get(lab('a'), 8082, '/', 'api.lab.test')).toMatch(/^api on /)
    await startEngine(node)
    saveState(state)
    await untilTrue('everything is routed again', 60_000, async () => {
      const all = await Promise.all(nodes().flatMap(one => [servers(one, 'shop~api'), servers(one, 'shop~web')]))
      return all.every(urls => urls.length === 3)
    })
    for (const one of nodes()) {
      await untilTrue(`${one.name} is answered by it`, 20_000, async () => {
        return (await get(one, 8082, '/', 'web.node-b.lab.test')) === 'web on node-b\n'
      })
    }
    expect(await reconnects()).toBeGreaterThan(before)
    expect(await everybodySees('alive')).toBe(true)
  }, 150_000)

  test('a power-off takes the node out of the routes; it comes back by itself', async () => {
    const victim = lab('c')
    await powerOff('c')
    const began = Date.now()
    const survivors = nodes().filter(node => node.name !== victim.name)
    for (const node of survivors) {
      await untilTrue(`${node.name} dropped it`, 15_000, async () => (await servers(node, 'shop~api')).length === 2)
    }
    console.log(`power-off to dropped on both survivors: ${Date.now() - began} ms`)
    expect(await get(lab('a'), 8082, '/', 'web.lab.test')).toMatch(/web on node-[ab]/)
    await powerOn('c')
    await untilTrue('it is back everywhere', 60_000, async () => {
      const all = await Promise.all(nodes().map(node => servers(node, 'shop~api')))
      return (await everybodySees('alive')) && all.every(urls => urls.length === 3)
    })
  }, 180_000)

  test('a partition of three minutes heals by itself', async () => {
    await partition('a', 'c', false)
    await partition('b', 'c', false)
    await untilTrue('both sides gave each other up', 30_000, async () => {
      const [ac, ca] = await Promise.all([sees(lab('a'), lab('c')), sees(lab('c'), lab('a'))])
      return ac?.status === 'dead' && ca?.status === 'dead'
    })
    expect(await servers(lab('a'), 'shop~api')).toHaveLength(2)
    expect(await get(lab('c'), 8082, '/', 'api.lab.test')).toBe('api on node-c\n')
    await new Promise(resolve => setTimeout(resolve, partitionMs))
    await heal()
    const began = Date.now()
    await untilTrue('all is as before', 90_000, async () => {
      const all = await Promise.all(nodes().map(node => servers(node, 'shop~api')))
      return (await everybodySees('alive')) && all.every(urls => urls.length === 3)
    })
    console.log(`healed ${Date.now() - began} ms after the cut ended`)
  }, 400_000)
})
