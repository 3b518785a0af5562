/**
 * What gossip itself knows, for those who look closely: every member, foreign and departed ones too, how this node does in
 * it, and where a change has been on this node. Plain data in the words of the API.
 */
import type { Member, MembershipStats, MemberStatus } from '../core/membership/index.ts'
import { decodeProfile } from '../core/registry/index.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import type { Journal, Walk } from './journal.ts'
import type { WalkLookup } from './walk-name.ts'

/** What is fixed while the agent runs. */
export interface GossipTraits {
  readonly profile: string
  /** Keeps clusters apart; what it says is nobody's business. */
  readonly labelled: boolean
  readonly encrypted: boolean
}

export interface GossipAnswer extends GossipTraits {
  readonly node: string
  /** What peers are told. */
  readonly address: string
  /** A push/pull with somebody has succeeded since the start. */
  readonly synced: boolean
  /** Our own; 0 is best. */
  readonly healthScore: number
  readonly members: Readonly<Record<MemberStatus, number>>
  readonly stats: MembershipStats
}

export interface GossipMemberAnswer {
  readonly name: string
  /** The node that answers. */
  readonly self: boolean
  readonly status: MemberStatus
  /** For how long, as seen from here. */
  readonly statusForMs: Millis
  readonly address: string
  readonly incarnation: number
  /** Of memberlist: spoken now, and the range understood. 0: it never said. */
  readonly protocol: { readonly current: number; readonly min: number; readonly max: number }
  /** Only our own is known. */
  readonly healthScore?: number
  /** Absent for a member that is no agent of ours, such as serf. */
  readonly role?: 'node' | 'witness'
  readonly priority?: number
  readonly metaSizeBytes: number
}

export interface GossipMembersAnswer {
  readonly node: string
  /** Ordered by name. */
  readonly members: readonly GossipMemberAnswer[]
}

export interface TraceAnswer extends Walk {
  readonly node: string
  /** When this was answered, by the clock of the hops; with the round trip it tells how the clocks of two nodes differ. */
  readonly nowMs: Millis
  readonly wallNowMs: Millis
}

export interface GossipQuestions {
  gossip(): GossipAnswer
  gossipMembers(): GossipMembersAnswer
  /** `shop:web@node-a#8`, or without revision, or without project. */
  trace(walk: string): WalkLookup<TraceAnswer>
}

export interface GossipParts {
  readonly node: string
  readonly cluster: Pick<ClusterHandle, 'stats' | 'snapshot'>
  readonly journal: Pick<Journal, 'find'>
  readonly traits: GossipTraits
  readonly clock: Pick<Clock, 'now' | 'wallNow'>
}

export function createGossipQuestions({ node, cluster, journal, traits, clock }: GossipParts): GossipQuestions {
  function member(one: Member): GossipMemberAnswer {
    const [min = 0, max = 0, current = 0] = one.versions
    const profile = decodeProfile(one.meta)
    const isSelf = one.name === node
    return {
      name: one.name,
      self: isSelf,
      status: one.status,
      statusForMs: Math.max(0, Math.round(clock.now() - one.statusSince)),
      address: formatAddress(one.address),
      incarnation: one.incarnation,
      protocol: { current, min, max },
      ...(isSelf ? { healthScore: cluster.stats().healthScore } : {}),
      ...(profile === undefined ? {} : { role: profile.role, priority: profile.priority }),
      metaSizeBytes: one.meta.length,
    }
  }

  return {
    gossip() {
      const { members, synced } = cluster.snapshot()
      const stats = cluster.stats()
      const countOf = (status: MemberStatus): number => members.filter(member => member.status === status).length
      const self = members.find(({ name }) => name === node)
      return {
        node,
        address: self === undefined ? '' : formatAddress(self.address),
        ...traits,
        synced,
        healthScore: stats.healthScore,
        members: { alive: countOf('alive'), suspect: countOf('suspect'), dead: countOf('dead'), left: countOf('left') },
        stats,
      }
    },
    gossipMembers: () => ({ node, members: cluster.snapshot().members.map(member) }),
    trace(text) {
      const found = journal.find(text)
      if (found.kind !== 'found') return found
      return { kind: 'found', walk: { node, nowMs: clock.now(), wallNowMs: clock.wallNow(), ...found.walk } }
    },
  }
}
