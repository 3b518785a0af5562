/**
 * The route plan turned over: from the host (and path) of a request to the pool that serves it. Built once per plan and
 * never changed, so a request keeps the pool it was given while plans come and go.
 */
import { byText } from '../../kernel/units.ts'
import type { Pool, Route, RoutePlan } from '../routing/index.ts'
import { passes, pathTestsOf, type PathTest } from './rule.ts'

export interface HostTable {
  /** `host` as `parseHost` writes it. Undefined: no route of the plan names this host and path. */
  find(host: string, path: string): Pool | undefined
  /** How many hosts are served. */
  readonly size: number
}

interface Entry {
  readonly paths: readonly PathTest[]
  readonly pool: Pool
}

/** Routes without a plain host are left out: the proxy knows requests by their host alone. */
export function createHostTable(plan: RoutePlan): HostTable {
  const pools = new Map(plan.pools.map(pool => [pool.name, pool]))
  const routesByHost = new Map<string, Route[]>()
  for (const route of plan.routes) {
    for (const host of route.hosts) routesByHost.set(host, [...(routesByHost.get(host) ?? []), route])
  }
  const table = new Map<string, readonly Entry[]>()
  for (const [host, routes] of routesByHost) table.set(host, entriesOf(routes, pools))

  return {
    find: (host, path) => table.get(host)?.find(entry => passes(entry.paths, path))?.pool,
    size: table.size,
  }
}

/**
 * In the order Traefik would ask them. A rule the proxy cannot read counts only while no other pool shares the host:
 * then there is nothing to mistake; otherwise the wrong service might answer, which is worse than none.
 */
function entriesOf(routes: readonly Route[], pools: ReadonlyMap<string, Pool>): readonly Entry[] {
  const alone = new Set(routes.map(route => route.pool)).size === 1
  return [...routes].sort(byPrecedence).flatMap(route => {
    const pool = pools.get(route.pool)
    const paths = pathTestsOf(route.rule) ?? (alone ? [] : undefined)
    return pool === undefined || paths === undefined ? [] : [{ paths, pool }]
  })
}

/** Traefik's rule: higher priority first; without one (or 0) the length of the rule is the priority. */
function byPrecedence(a: Route, b: Route): number {
  const precedence = (route: Route): number => route.priority || route.rule.length
  return precedence(b) - precedence(a) || byText(a.name, b.name)
}
