/** Whom to probe: agents of ours that are suspect or dead, and their instances that were healthy when last heard. Pure. */
import { isNodeName } from '../../kernel/units.ts'
import type { Address, NodeName } from '../../kernel/units.ts'
import type { Member } from '../membership/index.ts'
import { decodeProfile, directAddress } from '../registry/index.ts'
import type { Section } from '../registry/index.ts'
import type { Target } from './types.ts'

export function targetsOf(
  self: NodeName,
  members: readonly Member[],
  sections: ReadonlyMap<NodeName, Section>,
): readonly Target[] {
  return members.flatMap(({ name, status, address, meta }) => {
    const isMissing = status === 'suspect' || status === 'dead'
    if (!isMissing || name === self || !isNodeName(name) || decodeProfile(meta) === undefined) return []
    return [{ node: name, agent: address, instances: addressesOf(sections.get(name), address.ip) }]
  })
}

/** What was not healthy receives no traffic whatever a probe says. */
function addressesOf(section: Section | undefined, meshIp: string): ReadonlyMap<string, Address> {
  const addresses = new Map<string, Address>()
  for (const { body } of section?.records.values() ?? []) {
    if (body.kind !== 'instance' || body.instance.state !== 'healthy') continue
    const address = directAddress(body.instance, meshIp)
    if (address !== undefined) addresses.set(body.instance.containerId, address)
  }
  return addresses
}
