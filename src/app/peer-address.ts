/** Whether a request came from another node: then only this node's own instances may answer it. */
import type { ClusterView } from '../core/registry/index.ts'

/** Loopback is never a peer: several nodes on one machine all send from 127.0.0.1, and so does every local client. */
export function isPeerAddress(ip: string, view: ClusterView): boolean {
  const plain = ip.startsWith('::ffff:') ? ip.slice(7) : ip
  if (plain.startsWith('127.') || plain === '::1') return false
  return view.nodes.some(node => node.name !== view.self && node.status !== 'left' && node.address.ip === plain)
}
