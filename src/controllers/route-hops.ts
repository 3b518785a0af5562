/** The hop of the walk at which an instance enters or leaves the routes of this node. Compares plans, decides nothing. */
import { walkKey } from '../core/registry/index.ts'
import type { ClusterView, InstanceView } from '../core/registry/index.ts'
import type { PoolMember, RoutePlan } from '../core/routing/index.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Log } from '../ports/log.ts'

/** `view`: the one that `next` was made from; it knows why an instance left. */
export function logHops(previous: RoutePlan, next: RoutePlan, view: ClusterView, log: Log): void {
  const before = routedMembers(previous)
  const after = routedMembers(next)
  for (const [id, member] of after) if (!before.has(id)) log.info('route gained an instance', fieldsOf(member))
  for (const [id, member] of before) {
    if (after.has(id)) continue
    const now = instanceIn(view, member)
    const key = walkKey(member.instance.service, member.node, (now ?? member.instance).revision)
    log.info('route lost an instance', { ...fieldsOf(member), key, reason: now?.trafficReason ?? 'it is gone' })
  }
}

/** By node and container; the pools of single nodes hold the same members once more. */
function routedMembers(plan: RoutePlan): ReadonlyMap<string, PoolMember> {
  const members = plan.pools.filter(pool => pool.node === undefined).flatMap(pool => pool.members)
  return new Map(members.map(member => [`${member.node}/${member.instance.containerId}`, member]))
}

function instanceIn(view: ClusterView, { node, instance }: PoolMember): InstanceView | undefined {
  const owner = view.nodes.find(candidate => candidate.name === node)
  return owner?.instances.find(candidate => candidate.containerId === instance.containerId)
}

function fieldsOf({ instance, node, via, address }: PoolMember): { readonly [field: string]: string } {
  const key = walkKey(instance.service, node, instance.revision)
  return { key, container: instance.containerName, via, address: formatAddress(address) }
}
