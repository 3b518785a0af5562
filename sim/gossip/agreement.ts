/** What peace must bring: everybody holds the same, and it is the truth. */
import type { Section } from '../../src/core/registry/index.ts'
import type { View } from './invariant.ts'
import { isLive } from './world.ts'

/** The first thing on which somebody is not, or not yet, of one mind with the others. */
export function disagreement(views: readonly View[]): string | undefined {
  const own = new Map<string, View>(views.map(view => [view.agent.host.name, view]))
  for (const view of views) {
    const found = aboutMembers(view, own) ?? aboutRecords(view, own)
    if (found !== undefined) return `${view.agent.host.name} ${found}`
  }
  return undefined
}

function aboutMembers({ members }: View, own: ReadonlyMap<string, View>): string | undefined {
  const known = new Map(members.map(member => [member.name, member]))
  for (const [name, { members: theirs }] of own) {
    const held = known.get(name)
    const truth = theirs.find(member => member.name === name)
    if (held?.status !== 'alive') return `holds ${name} for ${held?.status ?? 'unknown'}, which runs`
    if (held.incarnation !== truth?.incarnation)
      return `holds ${name} at incarnation ${held.incarnation}, it is at ${truth?.incarnation}`
    if (held.meta.join() !== truth.meta.join()) return `holds other metadata of ${name} than it has`
  }
  for (const member of members)
    if (isLive(member) && !own.has(member.name)) return `holds ${member.name} for ${member.status}, which is gone`
  return undefined
}

function aboutRecords({ sections }: View, own: ReadonlyMap<string, View>): string | undefined {
  for (const [name, { agent, sections: theirs }] of own) {
    const [held, truth] = [said(sections.get(agent.host.name)), said(theirs.get(agent.host.name))]
    if (held !== truth) return `holds of ${name} [${held}], it says [${truth}]`
  }
  return undefined
}

/** Everything but tombstones, which may have been forgotten. */
function said(section: Section | undefined): string {
  return [...(section?.records.values() ?? [])]
    .filter(({ body }) => body.kind !== 'removed')
    .map(({ key, version }) => `${key}@${version.epoch}.${version.revision}`)
    .sort()
    .join(' ')
}
