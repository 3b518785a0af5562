/** Whoever is said to be dead in somebody's state gets its chance to answer first. */
import type { GossipInvariant } from '../invariant.ts'

export const hearsayKillsNobody: GossipInvariant = {
  name: 'hearsay-kills-nobody',
  claim: 'a push/pull makes nobody dead, at most suspected',
  watch(_world, report) {
    return {
      onOutput(agent, output, cause) {
        if (cause !== 'streamData' || output.kind !== 'memberChanged' || output.member.status !== 'dead') return
        report(agent.host.name, `took ${output.member.name} for dead from a push/pull`)
      },
    }
  },
}
