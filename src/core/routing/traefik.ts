/**
 * Route plan in, Traefik v3 dynamic configuration out. Only fields every v3 release has; no empty object except a router's
 * `tls`, for which `{}` means "on"; no health check of Traefik's own, because a path made up by us would take down what
 * answers it with 401. Servers in order of their URL: equal plans give equal bytes.
 */
import { formatAddress } from '../../kernel/units.ts'
import type { Json } from '../../kernel/stable-json.ts'
import type { Pool, PoolMember, Route, RoutePlan } from './types.ts'

export interface CertificateDomain {
  readonly main: string
  readonly sans?: readonly string[]
}

export interface DocumentOptions {
  /** For routes that ask for none. Empty: Traefik's own default, which is all entry points or those marked as default. */
  readonly entryPoints: readonly string[]
  /** Terminate TLS on `entryPoints`. */
  readonly tls?: boolean | undefined
  /** Switches TLS on, too. */
  readonly certResolver?: string | undefined
  /** What the resolver shall certify; without it Traefik takes the host of each rule. */
  readonly certificateDomains?: readonly CertificateDomain[] | undefined
}

/**
 * Stands in a document that has no route, so that the last service that goes is gone: an empty document must never be
 * served, and withholding it would keep a dead route. A name below `.invalid` belongs to nobody (RFC 6761).
 */
const nothing = {
  http: {
    routers: { 'constellation~nothing': { rule: 'Host(`nothing.invalid`)', service: 'constellation~nothing' } },
    services: { 'constellation~nothing': { loadBalancer: { servers: [] } } },
  },
}

export function traefikDocument(plan: RoutePlan, options: DocumentOptions): Json {
  const routes = plan.routes
  if (routes.length === 0) return nothing
  const wanted = new Set(routes.map(route => route.pool))
  const tls = tlsOf(options)
  // Without a prototype an object is a plain dictionary from the start: thousands of names fit in at half the price.
  const routers: Record<string, Json> = Object.create(null)
  for (const route of routes) routers[route.name] = traefikRouter(route, options, tls)
  const services: Record<string, Json> = Object.create(null)
  for (const pool of plan.pools) if (wanted.has(pool.name)) services[pool.name] = traefikService(pool)
  return { http: { routers, services } }
}

function traefikRouter(route: Route, options: DocumentOptions, tls: Json | undefined): Json {
  const entryPoints = route.entryPoints ?? options.entryPoints
  // A router with TLS answers nothing on a plain entry point, so one that leaves ours does without it.
  const isOnOurs = entryPoints.every(entryPoint => options.entryPoints.includes(entryPoint))
  return {
    entryPoints: entryPoints.length === 0 ? undefined : entryPoints,
    middlewares: route.middlewares,
    priority: route.priority,
    rule: route.rule,
    service: route.pool,
    tls: isOnOurs ? tls : undefined,
  }
}

function traefikService(pool: Pool): Json {
  return { loadBalancer: { servers: serverUrls(pool.members).map(url => ({ url })) } }
}

/** Traefik cannot rank servers: those of a suspected node are left out while any other is there. */
function serverUrls(members: readonly PoolMember[]): readonly string[] {
  if (members.length === 1) return members.map(serverUrl) // nearly all pools: one service on one node
  const good = members.filter(member => member.traffic === 'yes')
  const usable = good.length > 0 ? good : members
  return [...new Set(usable.map(serverUrl))].sort()
}

function serverUrl(member: PoolMember): string {
  return `${member.scheme}://${formatAddress(member.address)}`
}

function tlsOf({ tls, certResolver, certificateDomains = [] }: DocumentOptions): Json | undefined {
  if (certResolver === undefined) return tls === true ? {} : undefined
  const domains = certificateDomains.map(({ main, sans = [] }) => ({
    main,
    sans: sans.length === 0 ? undefined : sans,
  }))
  return { certResolver, domains: domains.length === 0 ? undefined : domains }
}
