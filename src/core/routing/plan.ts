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
import type { Pool, PoolMember, Route, RoutePlan } from './types.ts'

export interface PlanOptions {
  /** Lower case, without a dot at either end: `example.org`. */
  readonly domain: string
}

/** One service with all its routed instances, by node. Names are made once: they are text that lives in the plan. */
interface Known {
  readonly service: ServiceId
  readonly pool: string
  readonly nodes: KnownNode[]
}

interface KnownNode {
  readonly node: NodeView
  /** Of its host names; undefined when nothing in its name fits DNS. */
  readonly label: string | undefined
  readonly pool: string
  readonly routed: RoutedInstance[]
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
    for (const router of wish.routers) addLabelRoute(draft, known, router)
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
  const found = new Map<ServiceId, Known>()
  for (const node of [...view.nodes].sort((a, b) => byText(a.name, b.name))) {
    const label = dnsLabel(node.name)
    for (const instance of node.instances) {
      const { service, routing: wish } = instance
      if (wish === undefined) continue
      let known = found.get(service)
      if (known === undefined) found.set(service, (known = { service, pool: poolName(service), nodes: [] }))
      const last = known.nodes.at(-1)
      const routed = { instance, wish }
      if (last?.node === node) last.routed.push(routed)
      else known.nodes.push({ node, label, pool: nodePoolName(known.pool, node.name), routed: [routed] })
    }
  }
  for (const { nodes } of found.values())
    for (const { routed } of nodes) routed.sort((a, b) => byText(a.instance.containerId, b.instance.containerId))
  return [...found.values()].sort((a, b) => byText(a.service, b.service))
}

function addPools({ pools, complaints }: Draft, { service, pool, nodes }: Known, self: NodeName): void {
  const all: PoolMember[] = []
  pools.push({ name: pool, service, members: all })
  for (const { node, pool: name, routed } of nodes) {
    const { members, unreachable } = membersOn(node, routed, self)
    pools.push({ name, service, node: node.name, members })
    all.push(...members)
    for (const { containerName } of unreachable)
      complaints.add(`${service}: ${containerName} on ${node.name} has no address to send requests to`)
    if (routed.some(({ wish }) => wish.port === undefined))
      complaints.add(`${service}: no HTTP port can be told on ${node.name}`)
  }
}

function addLabelRoute(draft: Draft, { service, pool }: Known, router: RouterWish): void {
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
  addHostRoute(draft, known, wish, clusterHost(host, domain), known.pool)
  for (const { node, label, pool } of known.nodes) {
    if (label === undefined) draft.complaints.add(`node ${node.name} has no host names: nothing in its name fits DNS`)
    else addHostRoute(draft, known, wish, nodeHost(host, label, domain), pool)
  }
}

/** Its name is its pool's. A router of the service's own labels with the same rule stands in for it. */
function addHostRoute(draft: Draft, known: Known, { middlewares }: ServiceWish, host: string, pool: string): void {
  const { service } = known
  const rival = draft.claims.take(`Host("${host}")`, { owner: service, entryPoints: undefined, pool })
  if (rival === undefined) {
    const own = { name: pool, rule: hostRule(host), hosts: [host], pool }
    draft.routes.push(middlewares.length === 0 ? own : { ...own, middlewares })
  } else if (rival.owner !== service) {
    draft.complaints.add(`${service}: ${host} belongs to ${rival.owner}`)
  } else if (rival.pool !== known.pool) {
    draft.complaints.add(`${service}: ${host} means two nodes, because DNS cannot tell their names apart`)
  }
}
