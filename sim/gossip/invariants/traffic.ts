/** Gossip is cheap: what a node sends does not grow with the cluster, but for push/pull. */
import type { GossipInvariant } from '../invariant.ts'

const bytesPerSecondMax = 15_000
const nodesMin = 50

export const traffic: GossipInvariant = {
  name: 'traffic',
  claim: 'at a hundred nodes each sends less than 15 KB per second, over its whole run',
  watch(world, report) {
    return {
      onFinish(views) {
        if (views.length < nodesMin) return
        const rates = views.map(({ agent }) => {
          const upMs = world.time.now() - (world.siteOf(agent.host.name)?.upAt ?? 0)
          return (agent.machine.stats().bytesSent * 1_000) / upMs
        })
        const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
        if (mean > bytesPerSecondMax) report('all', `each node sends ${Math.round(mean)} bytes per second on average`)
      },
    }
  },
}
