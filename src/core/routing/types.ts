/**
 * The route plan: who answers which request, in our words. Traefik's document and the SmartFailoverProxy are both made
 * from it, so they can never disagree.
 */
import type { InstanceView } from '../registry/index.ts'
import type { Address, NodeName, ServiceId } from '../../kernel/units.ts'

/** One rule and the pool that serves it. */
export interface Route {
  /** Unique in the plan, without `@`; becomes the Traefik router's name. */
  readonly name: string
  /** Traefik v3 rule, already checked. */
  readonly rule: string
  /** Lower-case host names of the rule's `Host(...)`; what the proxy matches. Empty when the rule names none. */
  readonly hosts: readonly string[]
  readonly entryPoints?: readonly string[]
  readonly priority?: number
  /** `name@provider` each, in the order Traefik applies them. */
  readonly middlewares?: readonly string[]
  /** Name of its pool. */
  readonly pool: string
}

/** The instances behind one or more routes. Kept with no member when nothing is healthy: 503, never 404. */
export interface Pool {
  /** Unique in the plan, without `@`; becomes the Traefik service's name. */
  readonly name: string
  readonly service: ServiceId
  /** Set for `<service>.<node>.<domain>`. */
  readonly node?: NodeName
  /** Ordered by node, then container id. */
  readonly members: readonly PoolMember[]
}

export interface PoolMember {
  readonly instance: InstanceView
  readonly node: NodeName
  /** The instance runs on this node. */
  readonly local: boolean
  /** Straight to the instance, or to the proxy of its node because no port of it is published there. */
  readonly via: 'instance' | 'peerProxy'
  readonly scheme: 'http' | 'https'
  readonly address: Address
  /** `lastResort`: its node is suspected. Traefik gets it only when there is no `yes`; the proxy tries it last. */
  readonly traffic: 'yes' | 'lastResort'
  /** Of its node; lower is preferred. */
  readonly priority: number
}

export interface RoutePlan {
  /** Ordered by name. */
  readonly routes: readonly Route[]
  /** Ordered by name. */
  readonly pools: readonly Pool[]
  /** Wishes that could not be honoured, one sentence each, ordered: two services want one host, no port can be told. */
  readonly complaints: readonly string[]
}
