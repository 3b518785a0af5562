/** What `api.bind` and its kind mean in addresses. */
import type { Address, Port } from '../kernel/units.ts'

/** `mesh` is where gossip is bound; loopback is IPv4's, which is what Traefik and operators on the node use. */
export function bindAddresses(words: readonly string[], meshIp: string, port: Port): readonly Address[] {
  const ips = words.map(word => (word === 'loopback' ? '127.0.0.1' : word === 'mesh' ? meshIp : word))
  // An address that covers all others would collide with them.
  const every = ips.find(ip => ip === '0.0.0.0' || ip === '::')
  return (every === undefined ? [...new Set(ips)] : [every]).map(ip => ({ ip, port }))
}
