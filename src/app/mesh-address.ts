/**
 * Which of the node's addresses the other nodes reach it at, when nobody configured one: the tailnet's.
 * Pure over what the operating system lists; the choice is logged by the caller.
 */
import type { NetworkInterfaceInfo } from 'node:os'
import ipaddr from 'ipaddr.js'
import { byText } from '../kernel/units.ts'

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** Tailscale's IPv4 range; carrier-grade NAT by RFC 6598. */
const tailnetRange = ipaddr.parseCIDR('100.64.0.0/10')

/** The same, and its IPv6 range (a unique local prefix of Tailscale's own). */
export const tailnetRanges: readonly string[] = Object.freeze(['100.64.0.0/10', 'fd7a:115c:a1e0::/48'])

const parsedRanges = tailnetRanges.map(range => ipaddr.parseCIDR(range))

export function isTailnetAddress(ip: string): boolean {
  return ipaddr.isValid(ip) && ipaddr.subnetMatch(ipaddr.process(ip), { tailnet: parsedRanges }, 'other') === 'tailnet'
}

/**
 * The first address in the tailnet's range, interfaces named `tailscale*` first; undefined when there is none.
 * A WARP interface uses part of the same range, so it is never taken.
 */
export function tailnetAddress(interfaces: Interfaces): string | undefined {
  const rank = (name: string): number => (name.startsWith('tailscale') ? 0 : 1)
  const names = Object.keys(interfaces)
    .filter(name => !/warp/i.test(name))
    .sort((a, b) => rank(a) - rank(b) || byText(a, b))
  for (const name of names) {
    for (const info of interfaces[name] ?? []) {
      if (info.family === 'IPv4' && ipaddr.IPv4.parse(info.address).match(tailnetRange)) return info.address
    }
  }
  return undefined
}
