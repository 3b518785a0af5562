/**
 * The route plan turned over: from what a request asks for to the pool that serves it. Built once per plan and never
 * changed, so a request keeps the pool it was given while plans come and go.
 */
import { byText } from '../../kernel/units.ts'
import { parseRule, type Pool, type Route, type RoutePlan, type Rule } from '../routing/index.ts'
import { matchesRule, routingPath } from './rule-match.ts'

export interface HostTable {
  /** Undefined: no route of the plan wants this request. `target` as `parseRequestTarget` gives it. */
  find(method: string, target: { readonly host: string; readonly path: string }): Pool | undefined
  /** How many hosts are served. */
  readonly size: number
}

interface Entry {
  /** Undefined: the host alone decides. */
  readonly rule: Rule | undefined
  readonly pool: Pool
}

interface HostEntries {
  readonly entries: readonly Entry[]
  /** All routes of this host lead to one pool. */
  readonly unanimous: boolean
}

/** Routes bound to no host are left out: the proxy knows requests by their host first. */
export function createHostTable(plan: RoutePlan): HostTable {
  const pools = new Map(plan.pools.map(pool => [pool.name, pool]))
  const routesByHost = new Map<string, Route[]>()
  for (const route of plan.routes) {
    for (const host of route.hosts) routesByHost.set(host, [...(routesByHost.get(host) ?? []), route])
  }
  const table = new Map<string, HostEntries>()
  for (const [host, routes] of routesByHost) table.set(host, entriesOf(routes, pools))

  return {
    size: table.size,
    find(method, { host, path }) {
      const known = table.get(host)
      return known === undefined ? undefined : firstMatch(known, host, path, method)
    },
  }
}

/**
 * A rule that cannot be told counts only while its host leads to one pool: then there is nothing to mistake. Otherwise
 * the wrong service might answer, which is worse than none.
 */
function firstMatch(known: HostEntries, host: string, target: string, method: string): Pool | undefined {
  const path = routingPath(target)
  if (path === undefined) return undefined
  const found = known.entries.find(entry => {
    if (entry.rule === undefined) return true
    return matchesRule(entry.rule, { host, path, method }) ?? known.unanimous
  })
  return found?.pool
}

function entriesOf(routes: readonly Route[], pools: ReadonlyMap<string, Pool>): HostEntries {
  const entries = [...routes].sort(byPrecedence).flatMap(route => {
    const pool = pools.get(route.pool)
    const rule = parseRule(route.rule)
    return pool === undefined || !rule.ok ? [] : [{ rule: simplified(rule.value), pool }]
  })
  return { entries, unanimous: new Set(routes.map(route => route.pool)).size === 1 }
}

/** Most rules are one `Host(...)`, which finding the entry has already decided. */
function simplified(rule: Rule): Rule | undefined {
  return rule.kind === 'match' && rule.matcher === 'Host' ? undefined : rule
}

/** Traefik's order: higher priority first; without one (or 0) the length of the rule is the priority. */
function byPrecedence(a: Route, b: Route): number {
  const precedence = (route: Route): number => route.priority || route.rule.length
  return precedence(b) - precedence(a) || byText(a.name, b.name)
}
