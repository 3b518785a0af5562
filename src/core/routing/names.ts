/**
 * The names routing makes up: DNS labels, host rules, and names safe inside Traefik's document.
 * Pure text in, text out. Invariant: no name made here contains `@`, Traefik's separator between a name and its provider.
 */
import type { NodeName, ServiceId } from '../../kernel/units.ts'

/** RFC 1035: a label has at most 63 octets. */
const labelLengthMax = 63

/**
 * The nearest valid DNS label: lower case, every run of other characters one `-`, none at either end, at most 63 long.
 * Undefined when nothing is left (a name without one ASCII letter or digit).
 */
export function dnsLabel(text: string): string | undefined {
  const label = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, labelLengthMax)
    .replace(/-$/, '')
  return label === '' ? undefined : label
}

/** `web` of `shop:web`; the whole of an id without a project. */
export function servicePart(service: ServiceId): string {
  return service.slice(service.indexOf(':') + 1)
}

/** `web.example.org`: answered by every healthy instance of the cluster. */
export function clusterHost(host: string, domain: string): string {
  return `${host}.${domain}`
}

/** `web.node-a.example.org`: answered by the instances on one node. */
export function nodeHost(host: string, nodeLabel: string, domain: string): string {
  return `${host}.${nodeLabel}.${domain}`
}

export function hostRule(host: string): string {
  return `Host(\`${host}\`)`
}

/** Name of the pool over all nodes. `~` occurs in no service id, so unequal ids never share a name. */
export function poolName(service: ServiceId): string {
  return service.replace(':', '~')
}

/** `pool`: name of the pool over all nodes. A node name holds neither `@` nor blanks, and `~~` occurs in no pool name. */
export function nodePoolName(pool: string, node: NodeName): string {
  return `${pool}~~${node}`
}

/** Name of the route a container's label asked for; `router` is made of letters, digits, `_` and `-`. */
export function labelRouteName(service: ServiceId, router: string): string {
  return `${poolName(service)}+${router}`
}

export function isRouterName(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text)
}
