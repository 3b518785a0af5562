/**
 * The view and the route plan, turned round to be about services. Pure. One place says what healthy means for a service
 * with several instances.
 */
import type { ClusterView, InstanceView } from '../core/registry/index.ts'
import type { PoolMember, RoutePlan } from '../core/routing/index.ts'
import { byText, formatAddress } from '../kernel/units.ts'
import type { InstanceAnswer, ServiceAnswer, ServiceState } from './answers.ts'

/** Ordered by id. */
export function serviceAnswers(view: ClusterView, plan: RoutePlan): readonly ServiceAnswer[] {
  const instances = byService(view.nodes.flatMap(node => node.instances))
  const hosts = hostsByService(plan)
  const upstreams = upstreamsByContainer(plan)
  return [...instances]
    .sort(([a], [b]) => byText(a, b))
    .map(([id, ofService]) => {
      const routed = hosts.has(id) || ofService.some(instance => instance.routing !== undefined)
      const complaints = complaintsOf(id, ofService, plan)
      return {
        id,
        state: stateOf(ofService, routed, complaints),
        routed,
        hosts: hosts.get(id) ?? [],
        complaints,
        instances: [...ofService].sort(byPlace).map(instance => instanceAnswer(instance, upstreams)),
      }
    })
}

export function byService(instances: readonly InstanceView[]): ReadonlyMap<string, readonly InstanceView[]> {
  const found = new Map<string, InstanceView[]>()
  for (const instance of instances) {
    const known = found.get(instance.service)
    if (known === undefined) found.set(instance.service, [instance])
    else known.push(instance)
  }
  return found
}

export function instanceAnswer(
  instance: InstanceView,
  upstreams: ReadonlyMap<string, NonNullable<InstanceAnswer['upstream']>>,
): InstanceAnswer {
  const since = rfc3339(instance.sinceWallMs)
  const upstream = upstreams.get(containerKey(instance))
  return {
    node: instance.node,
    containerId: instance.containerId,
    containerName: instance.containerName,
    image: instance.image,
    state: instance.state,
    ...(instance.reason === undefined ? {} : { reason: instance.reason }),
    traffic: instance.traffic,
    trafficReason: instance.trafficReason,
    ...(since === undefined ? {} : { since }),
    consecutiveFailures: instance.consecutiveFailures,
    restartGivenUp: instance.restartGivenUp ?? false,
    ...(upstream === undefined ? {} : { upstream }),
    complaints: instance.complaints ?? [],
  }
}

function stateOf(instances: readonly InstanceView[], routed: boolean, complaints: readonly string[]): ServiceState {
  if (!routed && instances.every(({ state }) => state === 'stopped')) return 'stopped'
  if (instances.every(({ traffic }) => traffic === 'no')) return 'down'
  const whole = instances.every(({ traffic }) => traffic === 'yes') && complaints.length === 0
  return whole ? 'healthy' : 'degraded'
}

/** What instances say about their own labels, and what the plan says about the service. */
function complaintsOf(id: string, instances: readonly InstanceView[], plan: RoutePlan): readonly string[] {
  const own = instances.flatMap(instance =>
    (instance.complaints ?? []).map(text => `${instance.containerName} on ${instance.node}: ${text}`),
  )
  const prefix = `${id}: `
  const planned = plan.complaints.filter(text => text.startsWith(prefix)).map(text => text.slice(prefix.length))
  return [...own, ...planned]
}

function hostsByService(plan: RoutePlan): ReadonlyMap<string, readonly string[]> {
  const pools = new Map(plan.pools.map(pool => [pool.name, pool]))
  const found = new Map<string, Set<string>>()
  const wholeFirst = [...plan.routes].sort(
    (a, b) => Number(pools.get(a.pool)?.node !== undefined) - Number(pools.get(b.pool)?.node !== undefined),
  )
  for (const route of wholeFirst) {
    const service = pools.get(route.pool)?.service
    if (service === undefined) continue
    const hosts = found.get(service) ?? new Set()
    for (const host of route.hosts) hosts.add(host)
    found.set(service, hosts)
  }
  return new Map([...found].map(([service, hosts]) => [service, [...hosts]]))
}

/** Keyed by node and container: ids are unique on one engine only. */
export function upstreamsByContainer(plan: RoutePlan): ReadonlyMap<string, NonNullable<InstanceAnswer['upstream']>> {
  const members = plan.pools.flatMap(pool => pool.members)
  return new Map(members.map(member => [containerKey(member.instance), upstreamOf(member)]))
}

function upstreamOf(member: PoolMember): NonNullable<InstanceAnswer['upstream']> {
  return { url: `${member.scheme}://${formatAddress(member.address)}`, via: member.via }
}

function containerKey(instance: InstanceView): string {
  return `${instance.node}/${instance.containerId}`
}

function byPlace(a: InstanceView, b: InstanceView): number {
  return byText(a.node, b.node) || byText(a.containerId, b.containerId)
}

/** The number comes from another node; nonsense must not take the whole answer down. */
function rfc3339(wallMs: number): string | undefined {
  const time = new Date(wallMs)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}
