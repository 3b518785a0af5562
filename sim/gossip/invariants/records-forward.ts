/** Records have one author, and versions only rise. */
import { isNewer } from '../../../src/core/registry/index.ts'
import type { Section, Version } from '../../../src/core/registry/index.ts'
import type { SimAgent } from '../../../src/testing/sim/cluster-node.ts'
import type { GossipInvariant } from '../invariant.ts'

interface Memory {
  readonly section: Section
  readonly newest: Map<string, Version>
}

export const recordsForward: GossipInvariant = {
  name: 'records-forward',
  claim: 'no record is newer than its owner made it, none gets older at an observer, and what was removed stays so',
  watch(_world, report) {
    /** The newest version any run of the owner has written. */
    const written = new Map<string, Version>()
    const memories = new WeakMap<SimAgent, Map<string, Memory>>()

    function note(name: string, own: Section | undefined): void {
      const before = written.get(name)
      if (own !== undefined && (before === undefined || isNewer(own.version, before))) written.set(name, own.version)
    }

    function check(agent: SimAgent, section: Section): void {
      const mine = memories.get(agent) ?? new Map<string, Memory>()
      memories.set(agent, mine)
      const { owner } = section
      const before = mine.get(owner)
      if (before?.section === section) return
      const newest = before?.newest ?? new Map<string, Version>()
      mine.set(owner, { section, newest })
      const most = written.get(owner)
      for (const { key, version } of section.records.values()) {
        const known = newest.get(key)
        if (most === undefined || isNewer(version, most))
          report(agent.host.name, `holds ${key} of ${owner} at ${text(version)}, its owner wrote ${text(most)} at most`)
        if (known !== undefined && isNewer(known, version))
          report(agent.host.name, `${key} of ${owner} went from ${text(known)} back to ${text(version)}`)
        if (known === undefined || isNewer(version, known)) newest.set(key, version)
      }
    }

    return {
      onEnd: agent => note(agent.host.name, agent.machine.sections().get(agent.host.name)),
      onOutput(agent, output) {
        if (output.kind !== 'sectionChanged') return
        const { owner } = output
        const section = agent.machine.sections().get(owner)
        // Dropped as a whole: its owner has left, and may come back from a new disk.
        if (section === undefined) memories.get(agent)?.delete(owner)
        else if (owner === agent.host.name) note(owner, section)
      },
      onLook(views) {
        for (const { agent, sections } of views) note(agent.host.name, sections.get(agent.host.name))
        for (const { agent, sections } of views)
          for (const section of sections.values()) if (section.owner !== agent.host.name) check(agent, section)
      },
    }
  },
}

function text(version: Version | undefined): string {
  return version === undefined ? 'nothing' : `${version.epoch}.${version.revision}`
}
