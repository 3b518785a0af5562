/**
 * View in, route plan out: decides who answers which host. Every node makes the plan from its own view, and equal views
 * give equal plans whatever the order in which their parts arrived.
 * Invariant: a service that is known keeps its routes; without a member its pool is empty, which is a 503 and not a 404.
 */
import type { NodeName, ServiceId } from '../../kernel/units.ts'
import { byText } from '../../kernel/units.ts'
import type { ClusterView, NodeView, RouterWish } from '../registry/index.ts'
import { createClaims } from './claims.ts'
import type { Claims } from './claims.ts'
import { membersOn } from './members.ts'
import type { RoutedInstance } from './members.ts'
import {
  clusterHost,
  dnsLabel,
  hostRule,
  isRouterName,
  labelRouteName,
  nodeHost,
  nodePoolName,
  poolName,
} from './names.ts'
import { canonicalRule, hostsOf, parseRule } from './rule.ts'
import { serviceWish } from './service-wish.ts'
import type { ServiceWish } from './service-wish.ts'
import type { Pool, Route, RoutePlan } from './types.ts'

export interface PlanOptions {
  /** Lower case, without a dot at either end: `example.org`. */
  readonly domain: string
}

/** One service with all its routed instances, by node. */
interface Known {
  readonly service: ServiceId
  readonly nodes: readonly { readonly node: NodeView; readonly routed: readonly RoutedInstance[] }[]
}

interface Draft {
  readonly claims: Claims
  readonly routes: Route[]
  readonly pools: Pool[]
  readonly complaints: Set<string>
}

export function planRoutes(view: ClusterView, options: PlanOptions): RoutePlan {
  const draft: Draft = { claims: createClaims(), routes: [], pools: [], complaints: new Set() }
  for (const known of knownServices(view)) {
    const wish = serviceWish(
      known.service,
      known.nodes.flatMap(({ routed }) => routed),
      sentence => draft.complaints.add(sentence),
    )
    addPools(draft, known, view.self)
    for (const router of wish.routers) addLabelRoute(draft, known.service, router)
    if (wish.host !== undefined) addDefaultRoutes(draft, known, wish, wish.host, options.domain)
  }
  return {
    routes: draft.routes.sort((a, b) => byText(a.name, b.name)),
    pools: draft.pools.sort((a, b) => byText(a.name, b.name)),
    complaints: [...draft.complaints].sort(byText),
  }
}

/** Ordered by service, then node, then container id. */
function knownServices(view: ClusterView): readonly Known[] {
  const found = new Map<ServiceId, { readonly node: NodeView; readonly routed: RoutedInstance[] }[]>()
  for (const node of [...view.nodes].sort((a, b) => byText(a.name, b.name))) {
    for (const instance of node.instances) {
      if (instance.routing === undefined) continue
      let nodes = found.get(instance.service)
      if (nodes === undefined) found.set(instance.service, (nodes = []))
      let here = nodes.at(-1)
      if (here?.node !== node) nodes.push((here = { node, routed: [] }))
      here.routed.push({ instance, wish: instance.routing })
    }
  }
  for (const nodes of found.values())
    for (const { routed } of nodes) routed.sort((a, b) => byText(a.instance.containerId, b.instance.containerId))
  return [...found].map(([service, nodes]) => ({ service, nodes })).sort((a, b) => byText(a.service, b.service))
}

function addPools({ pools, complaints }: Draft, { service, nodes }: Known, self: NodeName): void {
  const all = []
  for (const { node, routed } of nodes) {
    const { members, unreachable } = membersOn(node, routed, self)
    pools.push({ name: nodePoolName(service, node.name), service, node: node.name, members })
    all.push(...members)
    for (const { containerName } of unreachable)
      complaints.add(`${service}: ${containerName} on ${node.name} has no address to send requests to`)
    if (routed.some(({ wish }) => wish.port === undefined))
      complaints.add(`${service}: no HTTP port can be told on ${node.name}`)
  }
  pools.push({ name: poolName(service), service, members: all })
}

function addLabelRoute(draft: Draft, service: ServiceId, router: RouterWish): void {
  // Its own node has checked it, perhaps by other rules than ours: agents of two versions may share a cluster.
  if (!isRouterName(router.name)) {
    draft.complaints.add(`${service}: ${JSON.stringify(router.name.slice(0, 60))} is no name for a router`)
    return
  }
  const parsed = parseRule(router.rule)
  if (!parsed.ok) {
    draft.complaints.add(`${service}: the rule of router ${router.name} is not valid: ${parsed.error.message}`)
    return
  }
  const { rule, entryPoints, priority, middlewares } = router
  const pool = poolName(service)
  const rival = draft.claims.take(canonicalRule(parsed.value), { owner: service, entryPoints, pool })
  if (rival !== undefined) {
    draft.complaints.add(`${service}: router ${router.name} wants a rule that ${rival.owner} already has`)
    return
  }
  draft.routes.push({
    name: labelRouteName(service, router.name),
    rule,
    hosts: hostsOf(parsed.value),
    ...(entryPoints === undefined ? {} : { entryPoints }),
    ...(priority === undefined ? {} : { priority }),
    ...(middlewares === undefined ? {} : { middlewares }),
    pool,
  })
}

function addDefaultRoutes(draft: Draft, known: Known, wish: ServiceWish, host: string, domain: string): void {
  const { service, nodes } = known
  addHostRoute(draft, service, wish, clusterHost(host, domain), poolName(service))
  for (const { node } of nodes) {
    const label = dnsLabel(node.name)
    if (label === undefined) draft.complaints.add(`node ${node.name} has no host names: nothing in its name fits DNS`)
    else addHostRoute(draft, service, wish, nodeHost(host, label, domain), nodePoolName(service, node.name))
  }
}

/** Its name is its pool's. A router of the service's own labels with the same rule stands in for it. */
function addHostRoute(draft: Draft, service: ServiceId, wish: ServiceWish, host: string, pool: string): void {
  const rule = hostRule(host)
  const rival = draft.claims.take(`Host("${host}")`, { owner: service, entryPoints: undefined, pool })
  if (rival === undefined) {
    const middlewares = wish.middlewares.length === 0 ? {} : { middlewares: wish.middlewares }
    draft.routes.push({ name: pool, rule, hosts: [host], ...middlewares, pool })
  } else if (rival.owner !== service) {
    draft.complaints.add(`${service}: ${host} belongs to ${rival.owner}`)
  } else if (rival.pool !== poolName(service)) {
    draft.complaints.add(`${service}: ${host} means two nodes, because DNS cannot tell their names apart`)
  }
}
