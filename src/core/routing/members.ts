/**
 * How a request gets from this node to an instance: the port published on the mesh, the container's own address when it
 * is here, or the proxy of the instance's node. Never a public name of another node: that could come back to us.
 */
import { byText } from '../../kernel/units.ts'
import type { Address, NodeName, Port } from '../../kernel/units.ts'
import { directAddress, proxyAddress } from '../registry/index.ts'
import type { InstanceView, NodeView, RoutingWish } from '../registry/index.ts'
import type { PoolMember } from './types.ts'

export interface RoutedInstance {
  readonly instance: InstanceView
  readonly wish: RoutingWish
}

export interface NodeMembers {
  readonly members: readonly PoolMember[]
  /** May receive traffic, runs here, and has no address anybody could dial. */
  readonly unreachable: readonly InstanceView[]
}

/** `routed`: instances of one service on `node`, ordered by container id. Those without traffic are left out. */
export function membersOn(node: NodeView, routed: readonly RoutedInstance[], self: NodeName): NodeMembers {
  const local = node.name === self
  const members: PoolMember[] = []
  const unreachable: InstanceView[] = []
  const hidden: RoutedInstance[] = []
  for (const candidate of routed) {
    const { instance, wish } = candidate
    if (instance.traffic === 'no' || wish.port === undefined) continue
    const address =
      meshAddress(node, instance, wish.port) ?? (local ? localAddress(instance, wish, wish.port) : undefined)
    if (address !== undefined) members.push(member(node, candidate, local, address))
    else if (local) unreachable.push(instance)
    else hidden.push(candidate)
  }
  const peer = viaPeerProxy(node, hidden)
  if (peer !== undefined) members.push(peer)
  return { members, unreachable }
}

function member(node: NodeView, { instance, wish }: RoutedInstance, local: boolean, address: Address): PoolMember {
  return {
    instance,
    node: node.name,
    local,
    via: 'instance',
    scheme: wish.scheme,
    address,
    traffic: instance.traffic === 'yes' ? 'yes' : 'lastResort',
    priority: priorityOf(node),
  }
}

/**
 * One member stands for all instances of the node that publish nothing: their proxy spreads the requests itself.
 * A proxy lives in its agent, so with the agent gone there is no way in, however healthy the instance.
 */
function viaPeerProxy(node: NodeView, hidden: readonly RoutedInstance[]): PoolMember | undefined {
  const best = hidden.find(({ instance }) => instance.traffic === 'yes') ?? hidden[0]
  const proxyMayAnswer = node.agent === 'up' || node.agent === 'unknown'
  if (best === undefined || node.profile === undefined || !proxyMayAnswer) return undefined
  const address = proxyAddress(node.address, node.profile)
  return { ...member(node, best, false, address), via: 'peerProxy', scheme: 'http' }
}

/** What is published on the mesh, or shares the network of its node and so its mesh address. */
function meshAddress(node: NodeView, instance: InstanceView, port: Port): Address | undefined {
  const published = directAddress(instance, node.address.ip)
  if (published !== undefined) return published
  const onHostNetwork = instance.networks.some(attachment => attachment.network === 'host')
  return onHostNetwork ? { ip: node.address.ip, port } : undefined
}

/** The container's address on the network it wishes for, else on its first by name; else a port on the loopback. */
function localAddress(instance: InstanceView, wish: RoutingWish, port: Port): Address | undefined {
  const attached = instance.networks
    .filter(attachment => attachment.ip !== '')
    .sort((a, b) => byText(a.network, b.network) || byText(a.ip, b.ip))
  const chosen = attached.find(attachment => attachment.network === wish.network) ?? attached[0]
  if (chosen !== undefined) return { ip: chosen.ip, port }
  const loopback = instance.endpoints.find(
    ({ protocol, containerPort, hostIp = '' }) =>
      protocol === 'tcp' && containerPort === port && (hostIp === '::1' || hostIp.startsWith('127.')),
  )
  if (loopback?.hostIp === undefined || loopback.hostPort === undefined) return undefined
  return { ip: loopback.hostIp, port: loopback.hostPort }
}

/** A peer without a profile is no agent of ours; it gets the middle of the road. */
function priorityOf(node: NodeView): number {
  return node.profile?.priority ?? 50
}
