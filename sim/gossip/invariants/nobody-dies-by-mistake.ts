/** False positives: the failure detector's other half. */
import type { GossipInvariant } from '../invariant.ts'

/** A node that has just come back may hear its old self declared dead. */
const settledMs = 20_000

export const nobodyDiesByMistake: GossipInvariant = {
  name: 'nobody-dies-by-mistake',
  claim: 'in calm seeds nobody that runs is declared dead by anybody',
  watch(world, report) {
    return {
      onOutput(agent, output) {
        if (output.kind !== 'memberChanged' || output.member.status !== 'dead') return
        const site = world.siteOf(output.member.name)
        if (world.options.temper !== 'calm' || site?.agent?.isUp !== true) return
        if (world.time.now() - site.upAt < settledMs) return
        report(agent.host.name, `holds ${output.member.name} for dead at ${output.member.incarnation}, which runs`)
      },
    }
  },
}
