/** The demo's three nodes as one thing: start them, wait until they know each other, end them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConstellationError } from '../../kernel/errors.ts'
import { findDemoAddresses } from './addresses.ts'
import { demoNode, type DemoNode } from './demo-node.ts'
import { startGuard } from './guard.ts'

export interface DemoCluster {
  readonly nodes: readonly [DemoNode, DemoNode, DemoNode]
  readonly folder: string
  /** Ends every process; the logs stay when something went wrong. */
  stop(outcome: 'well' | 'failed'): Promise<void>
}

/** The part of `/api/v1/services` the demo reads. */
interface ServicesAnswer {
  readonly services: readonly { readonly id: string; readonly instances: readonly { readonly traffic: string }[] }[]
}

const names = ['node-a', 'node-b', 'node-c'] as const
const startLimitMs = 20_000

/** Rejects with `NO_FREE_PORTS`. The web service runs on the first two nodes; the third only sends requests on. */
async function startDemoCluster(): Promise<DemoCluster> {
  const addresses = await findDemoAddresses(names.length)
  const [a, b, c] = addresses ?? []
  if (a === undefined || b === undefined || c === undefined) {
    const hint = 'the demo needs 18 free ports on the loopback interface; end what holds them and try again'
    throw new ConstellationError('NO_FREE_PORTS', 'no free set of ports was found', { hint })
  }
  const folder = mkdtempSync(join(tmpdir(), 'constellation-demo-'))
  const seeds = [`${a.ip}:${a.gossip}`]
  const nodes = [
    demoNode({ name: names[0], address: a, seeds: [], folder, web: true }),
    demoNode({ name: names[1], address: b, seeds, folder, web: true }),
    demoNode({ name: names[2], address: c, seeds, folder, web: false }),
  ] as const
  const guard = startGuard(folder)
  for (const node of nodes) node.start()
  return {
    nodes: [...nodes],
    folder,
    async stop(outcome) {
      await Promise.all(nodes.map(node => node.stop()))
      guard.stdin?.end()
      if (outcome === 'well') rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Resolves with the ms it took until every node would send requests to both instances. Rejects with `DEMO_NOT_READY`. */
export async function untilReady(cluster: DemoCluster): Promise<number> {
  const began = performance.now()
  while (performance.now() - began < startLimitMs) {
    const died = cluster.nodes.find(node => !node.running)
    if (died !== undefined) throw notReady(`the agent of ${died.name} ended`, died)
    const ready = await Promise.all(cluster.nodes.map(async node => (await receivingInstances(node)) === 2))
    if (ready.every(Boolean)) return Math.round(performance.now() - began)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  const silent = cluster.nodes.find(node => !node.running) ?? cluster.nodes[0]
  throw notReady(`the nodes did not know both instances within ${startLimitMs / 1_000} s`, silent)
}

/** How many instances of the web service `node` would send requests to. */
async function receivingInstances(node: DemoNode): Promise<number> {
  const answer = await node.get<ServicesAnswer>('/api/v1/services')
  const web = answer?.services.find(service => service.id === 'web')
  return web?.instances.filter(instance => instance.traffic === 'yes').length ?? 0
}

function notReady(message: string, node: DemoNode): ConstellationError {
  return new ConstellationError('DEMO_NOT_READY', message, { hint: `the log of ${node.name} is ${node.logFile}` })
}

/** Runs `use` on a fresh cluster and ends it afterwards, however that went. */
export async function withDemoCluster<T>(use: (cluster: DemoCluster) => Promise<T>): Promise<T> {
  const cluster = await startDemoCluster()
  try {
    const answer = await use(cluster)
    await cluster.stop('well')
    return answer
  } catch (error) {
    await cluster.stop('failed')
    throw error
  }
}
