/**
 * Addresses as sockets give and take them. A socket bound to `::` sees IPv4 peers as `::ffff:1.2.3.4`; inside the agent an
 * address has one form only, or one peer would be two.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Address } from '../../kernel/units.ts'

const mappedPrefix = '::ffff:'

export function fromSocket(ip: string, port: number): Address {
  const bare = ip.toLowerCase().startsWith(mappedPrefix) ? ip.slice(mappedPrefix.length) : ip
  return { ip: isIPv4(bare) ? bare : ip, port }
}

/** What a socket bound to `bindIp` calls the address. */
export function toSocketIp(bindIp: string, ip: string): string {
  return isIPv6(bindIp) && isIPv4(ip) ? mappedPrefix + ip : ip
}
