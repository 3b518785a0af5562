/**
 * The view joins what nodes say about themselves (sections) with who is there (membership) and what we can still reach
 * (reachability). It is the only thing routing, the proxy, the REST API and, later, placement read.
 * Decision carried here, made in traffic.ts: which instance may receive traffic, and why not.
 */
import type { Address, NodeName } from '../../kernel/units.ts'
import type { MemberStatus } from '../membership/index.ts'
import type { Instance, NodeFacts, NodeProfile, Version } from './record.ts'

/**
 * - yes: send requests here
 * - lastResort: only when no `yes` is left (its node is suspected)
 * - no: `trafficReason` says why
 */
export type Traffic = 'yes' | 'lastResort' | 'no'

export interface InstanceView extends Instance {
  readonly node: NodeName
  readonly revision: number
  readonly traffic: Traffic
  readonly trafficReason: string
}

/**
 * - up: the agent answers probes
 * - restarting: suspect or dead, and it announced that it comes back by now or later
 * - agentDown: gossip says suspect or dead, but its host refused or accepted our TCP connect, so the host is up
 * - unknown: suspect or dead, and silent
 * - left: departed on purpose
 */
export type AgentState = 'up' | 'restarting' | 'agentDown' | 'unknown' | 'left'

export interface NodeView {
  readonly name: NodeName
  /** Mesh address and gossip port. */
  readonly address: Address
  readonly status: MemberStatus
  readonly agent: AgentState
  readonly incarnation: number
  /** Absent for a peer that is no agent of ours (a serf agent, say). */
  readonly profile?: NodeProfile
  readonly facts?: NodeFacts
  readonly sectionVersion?: Version
  /** Ordered by service, then container id. */
  readonly instances: readonly InstanceView[]
}

export interface ClusterView {
  /** Rises with every change of anything below, on this node only; comparable with nothing elsewhere. */
  readonly revision: number
  readonly self: NodeName
  /** Own engine listed and (one push/pull done or 10 s passed): before that nothing is served to Traefik. */
  readonly complete: boolean
  /** Ordered by name; includes ourselves. */
  readonly nodes: readonly NodeView[]
}

/** What our own TCP connects found out about a node whose agent does not answer. */
export type ProbeVerdict = 'answers' | 'refused' | 'silent'

export interface Reachability {
  readonly agent: ProbeVerdict
  /** By container id; only instances with an address reachable from here were asked. */
  readonly instances: ReadonlyMap<string, ProbeVerdict>
}
