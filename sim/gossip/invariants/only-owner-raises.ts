/** Incarnations have one author. */
import type { GossipInvariant, View } from '../invariant.ts'

export const onlyOwnerRaises: GossipInvariant = {
  name: 'only-owner-raises',
  claim: 'nobody holds an incarnation of a member that the member itself never had',
  watch(_world, report) {
    /** The highest of any run of the owner; each run counts up from one. */
    const highest = new Map<string, number>()

    function note({ agent, members }: Pick<View, 'agent' | 'members'>): void {
      const name: string = agent.host.name
      const own = members.find(member => member.name === name)?.incarnation ?? 0
      highest.set(name, Math.max(own, highest.get(name) ?? 0))
    }

    return {
      onEnd: agent => note({ agent, members: agent.machine.members() }),
      onLook(views) {
        for (const view of views) note(view)
        for (const { agent, members } of views)
          for (const { name, incarnation, status } of members)
            if (incarnation > (highest.get(name) ?? 0))
              report(
                agent.host.name,
                `holds ${name} ${status} at ${incarnation}, its highest was ${highest.get(name) ?? 0}`,
              )
      },
    }
  },
}
