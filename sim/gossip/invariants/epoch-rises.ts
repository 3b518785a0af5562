/** A restart must not speak with the voice of an earlier run. */
import type { SimAgent } from '../../../src/testing/sim/cluster-node.ts'
import type { GossipInvariant } from '../invariant.ts'

export const epochRises: GossipInvariant = {
  name: 'epoch-rises',
  claim: 'on a sound disk every run of an agent begins with a higher epoch than the runs before it began with',
  watch(world, report) {
    const began = new Map<string, number>()
    const epochOf = ({ machine, host }: SimAgent): number => machine.sections().get(host.name)?.version.epoch ?? 0
    return {
      onUp(agent) {
        const { name } = agent.host
        const [before, now] = [began.get(name), epochOf(agent)]
        began.set(name, now)
        if (before !== undefined && now <= before && world.siteOf(name)?.isDiskDoubtful === false)
          report(name, `began with epoch ${now}, an earlier run with ${before}`)
      },
    }
  },
}
