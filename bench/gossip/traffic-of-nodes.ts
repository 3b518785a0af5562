/** What each node of a settled cluster sends while records change, on virtual time. */
import { instanceKey } from '../../src/core/registry/index.ts'
import { serviceId } from '../../src/kernel/units.ts'
import { anInstance } from '../../src/testing/builders.ts'
import { mean } from '../statistics.ts'
import { noTraffic, ratePerSecond, trafficKinds } from '../traffic.ts'
import type { Traffic } from '../traffic.ts'
import { createVirtualCluster } from '../virtual-cluster.ts'
import type { VirtualNode } from '../virtual-cluster.ts'

export interface TrafficTask {
  readonly nodes: number
  readonly instancesPerNode: number
  readonly minutes: number
  readonly seed: number
}

type Kind = (typeof trafficKinds)[number]

/** Payload bytes per second that a node sends. */
export interface TrafficFigures extends TrafficTask {
  /** Each node changes one record this often. */
  readonly changeEveryMs: number
  readonly meanBytesPerSecond: number
  /** The node that sent most, over the whole time. */
  readonly maxBytesPerSecond: number
  readonly meanByKind: Readonly<Record<Kind, number>>
  readonly packetsPerSecond: number
}

const settleMs = 180_000
const changeEveryMs = 60_000

export function measureTraffic(task: TrafficTask): TrafficFigures {
  const { nodes, instancesPerNode, minutes, seed } = task
  const cluster = createVirtualCluster(seed)
  cluster.startMany(nodes, 20)
  const all = [...cluster.nodes.values()]
  for (const node of all) {
    for (let i = 0; i < instancesPerNode; i++) publish(node, i, 0)
    node.feed({ kind: 'completed' })
    cluster.time.run(50)
  }
  cluster.time.run(settleMs)
  for (const node of all) node.traffic = noTraffic()
  const ms = minutes * 60_000
  for (let change = 0; change < ms / changeEveryMs; change++) {
    for (const node of cluster.prng.shuffled(all)) {
      publish(node, change % instancesPerNode, change + 1)
      cluster.time.run(changeEveryMs / nodes)
    }
  }
  const rates = all.map(({ traffic }) => ratePerSecond(sumOf(traffic), ms))
  const meanOf = (kind: Kind): number => ratePerSecond(mean(all.map(({ traffic }) => traffic[kind])), ms)
  return {
    ...task,
    changeEveryMs,
    meanBytesPerSecond: ratePerSecond(mean(all.map(({ traffic }) => sumOf(traffic))), ms),
    maxBytesPerSecond: Math.max(...rates),
    meanByKind: {
      probeBytes: meanOf('probeBytes'),
      piggybackBytes: meanOf('piggybackBytes'),
      gossipBytes: meanOf('gossipBytes'),
      pushPullBytes: meanOf('pushPullBytes'),
    },
    packetsPerSecond: ratePerSecond(mean(all.map(({ traffic }) => traffic.packets)), ms),
  }
}

function sumOf(traffic: Traffic): number {
  return trafficKinds.reduce((sum, kind) => sum + traffic[kind], 0)
}

/** Every change is one of health, as the agent publishes it. */
function publish(node: VirtualNode, index: number, change: number): void {
  const instance = anInstance({
    service: serviceId(`shop:service-${index}`),
    containerId: `${node.name}-${index}`.padEnd(64, '0'),
    containerName: `shop-service-${index}-1`,
    state: change % 2 === 0 ? 'healthy' : 'unhealthy',
    consecutiveFailures: change,
  })
  node.feed({
    kind: 'published',
    changes: [{ key: instanceKey(instance.containerId), body: { kind: 'instance', instance } }],
  })
}
