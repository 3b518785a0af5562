/** The order of what may be believed about a member: a higher incarnation, or at the same one a worse status. */
import type { Member, MemberStatus } from '../../../src/core/membership/index.ts'
import type { SimAgent } from '../../../src/testing/sim/cluster-node.ts'
import type { GossipInvariant } from '../invariant.ts'

/** Dead and left are both final: neither follows the other at one incarnation. */
const rank: Readonly<Record<MemberStatus, number>> = { alive: 0, suspect: 1, dead: 2, left: 2 }

export const neverBack: GossipInvariant = {
  name: 'never-back',
  claim:
    'what an observer holds about a member never goes back to an older incarnation or a better status at the same one',
  watch(_world, report) {
    const held = new WeakMap<SimAgent, Map<string, Member>>()

    function check(agent: SimAgent, member: Member): void {
      const mine = held.get(agent) ?? new Map<string, Member>()
      held.set(agent, mine)
      const before = mine.get(member.name)
      mine.set(member.name, member)
      if (before === undefined || isForward(before, member)) return
      const [from, to] = [before, member].map(({ status, incarnation }) => `${status} at ${incarnation}`)
      report(agent.host.name, `${member.name} went from ${from} to ${to}`)
    }

    return {
      onOutput(agent, output) {
        if (output.kind === 'memberChanged') check(agent, output.member)
        else if (output.kind === 'memberForgotten') held.get(agent)?.delete(output.name)
      },
      onLook(views) {
        for (const { agent, members } of views) for (const member of members) check(agent, member)
      },
    }
  },
}

function isForward(before: Member, after: Member): boolean {
  if (after.incarnation !== before.incarnation) return after.incarnation > before.incarnation
  return after.status === before.status || rank[after.status] > rank[before.status]
}
