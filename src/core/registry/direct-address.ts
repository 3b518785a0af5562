/** Where other nodes reach an instance without help of its agent. Pure. */
import type { Address } from '../../kernel/units.ts'
import type { Endpoint, Instance } from './record.ts'

const everyAddress = ['0.0.0.0', '::', '']

/**
 * The port that is routed, or for an instance that is not routed its lowest TCP port, if the engine published it on the
 * node's mesh address or on every address. Undefined: only its own node, and so only its agent's proxy, can reach it.
 */
export function directAddress(instance: Instance, meshIp: string): Address | undefined {
  const wanted = instance.routing?.port
  let best: { readonly containerPort: number; readonly hostPort: number } | undefined
  for (const endpoint of instance.endpoints) {
    const { containerPort, hostPort } = endpoint
    if (hostPort === undefined || !isReachable(endpoint, meshIp)) continue
    if (wanted !== undefined && containerPort !== wanted) continue
    if (best === undefined || containerPort < best.containerPort) best = { containerPort, hostPort }
  }
  return best === undefined ? undefined : { ip: meshIp, port: best.hostPort }
}

function isReachable({ protocol, hostIp }: Endpoint, meshIp: string): boolean {
  return protocol === 'tcp' && hostIp !== undefined && (hostIp === meshIp || everyAddress.includes(hostIp))
}
