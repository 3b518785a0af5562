/** Nothing grows without end. */
import type { GossipInvariant } from '../invariant.ts'

export const bounded: GossipInvariant = {
  name: 'bounded',
  claim: 'queues hold at most one piece of news per member and record, and lists at most what there is',
  watch(world, report) {
    const keys = new Set<string>()
    return {
      onOutput(_agent, output) {
        if (output.kind === 'sectionChanged') for (const { key } of output.changes) keys.add(`${output.owner} ${key}`)
      },
      onLook(views) {
        const most = world.sites.length
        for (const { agent, members, sections } of views) {
          const { queueDepth } = agent.machine.stats()
          if (queueDepth > most + keys.size) report(agent.host.name, `${queueDepth} pieces of news wait`)
          if (members.length > most) report(agent.host.name, `knows ${members.length} of ${most} members`)
          if (sections.size > most) report(agent.host.name, `holds ${sections.size} sections of ${most} members`)
        }
      },
    }
  },
}
