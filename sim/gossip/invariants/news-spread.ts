/** Gossip is quick where nothing stands in its way: a change does not wait for a push/pull. */
import { isNewer } from '../../../src/core/registry/index.ts'
import type { Section, SectionRecord } from '../../../src/core/registry/index.ts'
import type { SimAgent } from '../../../src/testing/sim/cluster-node.ts'
import type { GossipInvariant } from '../invariant.ts'

/** Half a minute before anybody's push/pull is due again. */
const spreadMs = 10_000

export const newsSpread: GossipInvariant = {
  name: 'news-spread',
  claim: 'in calm seeds a change is known ten seconds later to all who knew its owner then and still do',
  watch(world, report) {
    if (world.options.temper !== 'calm') return {}

    function expectSpread(author: SimAgent, record: SectionRecord): void {
      const { name } = author.host
      const listeners = world.agents().filter(agent => agent !== author && holdsAlive(agent, name))
      world.time.at(world.time.now() + spreadMs + 2 * world.options.pauseMsMax, () => {
        if (!author.isUp) return
        for (const agent of listeners) {
          const held = agent.isUp && holdsAlive(agent, name) ? agent.machine.sections().get(name) : undefined
          if (held !== undefined && isBehind(held, record))
            report(agent.host.name, `has not heard of ${record.key} of ${name} at revision ${record.version.revision}`)
        }
      })
    }

    return {
      onOutput(agent, output, cause) {
        if (output.kind !== 'sectionChanged' || output.owner !== agent.host.name || cause !== 'published') return
        for (const { record } of output.changes) if (record !== undefined) expectSpread(agent, record)
      },
    }
  },
}

function isBehind(held: Section, record: SectionRecord): boolean {
  const known = held.records.get(record.key)
  return known === undefined || isNewer(record.version, known.version)
}

function holdsAlive(agent: SimAgent, name: string): boolean {
  return agent.machine.members().some(member => member.name === name && member.status === 'alive')
}
