/** Leaving is a word of its own: whoever left is not waited for, and does not return by old news. */
import type { SimAgent } from '../../../src/testing/sim/cluster-node.ts'
import type { GossipInvariant } from '../invariant.ts'

const spreadMs = 10_000

export const leftStaysLeft: GossipInvariant = {
  name: 'left-stays-left',
  claim: 'whoever left is left for all who knew it, soon in calm seeds, and stays so until it starts anew',
  watch(world, report) {
    /** The last run in which a member left. */
    const leftIn = new Map<string, number>()
    /** Per observer, whom it holds for left. */
    const seen = new WeakMap<SimAgent, Set<string>>()

    function expectSpread(leaver: SimAgent): void {
      const name: string = leaver.host.name
      const site = world.siteOf(name)
      const starts = site?.starts
      const knew = world.agents().filter(agent => agent !== leaver && statusAt(agent, name) === 'alive')
      world.time.at(world.time.now() + spreadMs + world.options.pauseMsMax, () => {
        if (site?.starts !== starts) return
        for (const agent of knew) {
          const status = agent.isUp ? statusAt(agent, name) : undefined
          if (status !== undefined && status !== 'left')
            report(agent.host.name, `holds ${name} for ${status}, which has left and said so`)
        }
      })
    }

    return {
      onOutput(agent, output) {
        if (output.kind === 'leaveFinished' && world.options.temper === 'calm') expectSpread(agent)
        if (output.kind !== 'memberChanged') return
        const { name, status } = output.member
        const starts = world.siteOf(name)?.starts ?? 0
        if (name === agent.host.name && status === 'left') leftIn.set(name, starts)
        const mine = seen.get(agent) ?? new Set<string>()
        seen.set(agent, mine)
        if (status === 'left') mine.add(name)
        else if (mine.delete(name) && leftIn.get(name) === starts)
          report(agent.host.name, `${name} is ${status} again, and was not started since it left`)
      },
    }
  },
}

function statusAt(agent: SimAgent, name: string): string | undefined {
  return agent.machine.members().find(member => member.name === name)?.status
}
