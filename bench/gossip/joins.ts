/** One more node joins a settled cluster, on virtual time: how long until every other member holds it for alive. */
import { median, percentile, rounded } from '../statistics.ts'
import { createVirtualCluster, nameOf } from '../virtual-cluster.ts'

export interface JoinsTask {
  readonly nodes: number
  readonly seeds: number
  readonly joinsPerSeed: number
}

export interface JoinsFigures extends JoinsTask {
  readonly joins: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** News of the start have died down, and the one that left before is no longer counted. */
const settleMs = 60_000
const joinMsMax = 300_000

export function measureJoins({ nodes, seeds, joinsPerSeed }: JoinsTask): JoinsFigures {
  const times = Array.from({ length: seeds }, (_, seed) => timesOf(seed + 1, nodes, joinsPerSeed)).flat()
  return {
    nodes,
    seeds,
    joinsPerSeed,
    joins: times.length,
    p50Ms: rounded(median(times), 0),
    p99Ms: rounded(percentile(times, 0.99), 0),
    maxMs: rounded(percentile(times, 1), 0),
  }
}

function timesOf(seed: number, nodes: number, joins: number): number[] {
  let newcomer = ''
  let heard = 0
  let lastAt = 0
  const cluster = createVirtualCluster(seed, (output, { name }) => {
    if (output.kind !== 'memberChanged' || output.member.name !== newcomer || name === newcomer) return
    if (output.member.status !== 'alive') return
    heard++
    lastAt = cluster.time.now()
  })
  cluster.startMany(nodes, 20)
  cluster.time.run(settleMs)
  const settled = [...cluster.nodes.values()]
  return Array.from({ length: joins }, (_, i) => {
    // Not in step with the rounds of anybody.
    cluster.time.run(cluster.prng.below(1_000))
    const began = cluster.time.now()
    heard = 0
    newcomer = nameOf(nodes + i)
    const node = cluster.start(nodes + i, settled[cluster.prng.below(nodes)])
    if (!cluster.time.runUntil(() => heard >= nodes, joinMsMax)) throw new Error(`seed ${seed}: not seen by all`)
    node.feed({ kind: 'leave' })
    cluster.time.run(settleMs)
    node.kill()
    return lastAt - began
  })
}
