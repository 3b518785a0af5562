/**
 * The hop of the walk at which an instance enters, leaves or stays in the routes of this node. Compares plans, decides
 * nothing.
 */
import { walkKey } from '../core/registry/index.ts'
import type { ClusterView, InstanceView } from '../core/registry/index.ts'
import type { PoolMember, RoutePlan } from '../core/routing/index.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Log } from '../ports/log.ts'

/** `view`: the one that `next` was made from; it knows why an instance left. */
export function logHops(
  previous: RoutePlan,
  next: RoutePlan,
  view: ClusterView,
  log: Log,
  mark: (key: string, detail: string) => void,
): void {
  const before = routedMembers(previous)
  const after = routedMembers(next)
  for (const [id, member] of after) {
    const known = before.get(id)
    const { key } = fieldsOf(member)
    if (known === undefined) {
      log.info('route gained an instance', fieldsOf(member))
      mark(key, `routes gained it, ${inWords(member)}`)
    } else if (known.instance.revision !== member.instance.revision) mark(key, `routes keep it, ${inWords(member)}`)
  }
  for (const [id, member] of before) {
    if (after.has(id)) continue
    const now = instanceIn(view, member)
    const key = walkKey(member.instance.service, member.node, (now ?? member.instance).revision)
    const reason = now?.trafficReason ?? 'it is gone'
    log.info('route lost an instance', { ...fieldsOf(member), key, reason })
    mark(key, `routes lost it: ${reason}`)
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

function fieldsOf({ instance, node, via, address }: PoolMember): {
  readonly key: string
  readonly [field: string]: string
} {
  const key = walkKey(instance.service, node, instance.revision)
  return { key, container: instance.containerName, via, address: formatAddress(address) }
}

function inWords({ via, address }: PoolMember): string {
  return `${via === 'instance' ? 'at' : "by its node's proxy at"} ${formatAddress(address)}`
}
