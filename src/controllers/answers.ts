/**
 * What the agent answers when it is asked: plain data in the words of the API. The facade fills these in, REST and the
 * command line pass them on; a field added here shows up in both.
 */
import type { AgentState, InstanceState, NodeFacts, Traffic } from '../core/registry/index.ts'
import type { MembershipStats, MemberStatus } from '../core/membership/index.ts'
import type { Millis } from '../kernel/units.ts'

/** The container engine of this node as its controller knows it. */
export interface EngineState {
  readonly kind: 'docker' | 'process'
  readonly connected: boolean
  readonly version?: string
  /** Why it is not connected. */
  readonly reason?: string
}

/**
 * - healthy: every instance may receive traffic
 * - degraded: some may, or only as a last resort, or its labels ask for what cannot be given
 * - down: none may
 * - stopped: not routed, and every instance was stopped or has ended: nothing that anybody waits for
 */
export type ServiceState = 'healthy' | 'degraded' | 'down' | 'stopped'

export interface StatusAnswer {
  readonly node: string
  readonly version: string
  readonly domain: string
  readonly uptimeMs: Millis
  readonly viewRevision: number
  readonly complete: boolean
  readonly members: Readonly<Record<MemberStatus, number>>
  readonly services: { readonly total: number } & Readonly<Record<ServiceState, number>>
  readonly engine: EngineState
  readonly traefik: {
    /** 0 until the first document. */
    readonly generation: number
    readonly etag?: string
    readonly complaints: readonly string[]
  }
  readonly gossip: MembershipStats
}

export interface NodeAnswer {
  readonly name: string
  /** The node that answers. */
  readonly self: boolean
  /** Mesh address and gossip port, `100.64.0.1:7946`. */
  readonly address: string
  readonly status: MemberStatus
  readonly agent: AgentState
  readonly incarnation: number
  readonly role?: 'node' | 'witness'
  readonly priority?: number
  readonly publicIp?: string
  readonly cordoned?: boolean
  readonly facts?: NodeFacts
  readonly instances: Readonly<Record<InstanceState, number>>
}

export interface NodeDetail extends NodeAnswer {
  readonly services: readonly { readonly id: string; readonly instances: readonly InstanceAnswer[] }[]
}

export interface InstanceAnswer {
  readonly node: string
  readonly containerId: string
  readonly containerName: string
  readonly image: string
  readonly state: InstanceState
  readonly reason?: string
  readonly traffic: Traffic
  readonly trafficReason: string
  /** RFC 3339, by the wall clock of its node; absent when that clock says nothing sensible. */
  readonly since?: string
  readonly consecutiveFailures: number
  readonly restartGivenUp: boolean
  /** Where this node sends its requests; absent when it sends none. */
  readonly upstream?: { readonly url: string; readonly via: 'instance' | 'peerProxy' }
  readonly complaints: readonly string[]
}

export interface ServiceAnswer {
  readonly id: string
  readonly state: ServiceState
  /** Has routes; the others are observed only. */
  readonly routed: boolean
  /** Host names that lead to it, those of all nodes first. */
  readonly hosts: readonly string[]
  readonly complaints: readonly string[]
  /** Ordered by node, then container id. */
  readonly instances: readonly InstanceAnswer[]
}

/** Everything of one kind, as of one revision of the view. */
export interface NodesAnswer {
  readonly viewRevision: number
  readonly nodes: readonly NodeAnswer[]
}

export interface ServicesAnswer {
  readonly viewRevision: number
  readonly services: readonly ServiceAnswer[]
}

/** Whether this agent can do its work; empty reasons mean it can. */
export interface HealthAnswer {
  readonly ok: boolean
  readonly reasons: readonly string[]
}

export type ServiceLookup =
  | { readonly kind: 'found'; readonly service: ServiceAnswer }
  | { readonly kind: 'absent' }
  /** Several projects have a service of that name; these are their ids. */
  | { readonly kind: 'ambiguous'; readonly ids: readonly string[] }
