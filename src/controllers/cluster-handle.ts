/**
 * The door between the cluster (membership, registry, their sockets) and the rest of the agent. Everything that passes is
 * plain data, because the cluster runs in a thread of its own: cluster-door/ carries this contract over messages.
 */
import type { KeyOperation } from '../core/cluster/index.ts'
import type { Member, MembershipConfig, MembershipStats } from '../core/membership/index.ts'
import type { NodeProfile, RecordBody, RecordKey, Section } from '../core/registry/index.ts'
import type { Address, Millis, NodeName } from '../kernel/units.ts'
import type { KeyOutcome } from './cluster-keys.ts'

/** Members and what each says about itself; ours included. */
export interface ClusterSnapshot {
  readonly members: readonly Member[]
  readonly sections: ReadonlyMap<NodeName, Section>
  /** At least one push/pull with somebody has succeeded since the start. */
  readonly synced: boolean
  /** A seed other than ourselves is configured or a peer was remembered at the start: somebody may know more than we do. */
  readonly expectsPeers: boolean
}

export interface Publication {
  readonly key: RecordKey
  readonly body: RecordBody
}

export interface ClusterHandle {
  /** Opens the sockets, loads the epoch and the peer list, joins seeds and remembered peers, keeps retrying. */
  start(): Promise<void>
  /**
   * Changes of our own section; equal bodies are ignored, so callers may repeat themselves. Answers the revisions these
   * records have afterwards; a record that was refused, or was not there to be removed, has none. Answers come in the
   * order of the calls.
   */
  publish(changes: readonly Publication[]): Promise<ReadonlyMap<RecordKey, number>>
  /** Our section now says everything: records of an earlier epoch that were not published again become tombstones. */
  markComplete(): void
  setProfile(profile: NodeProfile): void
  snapshot(): ClusterSnapshot
  /** Called after every change of the snapshot, at most once per turn of the event loop. */
  onChange(listener: (snapshot: ClusterSnapshot) => void): () => void
  stats(): MembershipStats
  /**
   * Does this with the keyrings of all members that are alive, ours included, and tells who did. Resolves when all have
   * answered, at the latest after `timeoutMs`; never rejects.
   */
  keys(operation: KeyOperation, timeoutMs: Millis): Promise<KeyOutcome>
  /** Leaves for good: peers will not wait for us. */
  leave(timeoutMs: Millis): Promise<void>
  /** Closes the sockets without a word; peers will notice by themselves. */
  stop(): Promise<void>
}

export interface ClusterSettings {
  readonly name: NodeName
  readonly bind: Address
  /** What peers are told; differs from `bind` behind NAT or when binding to every address. */
  readonly advertise: Address
  /** Addresses to meet the cluster at; host names are resolved by the caller's `resolveSeed`. */
  readonly seeds: readonly string[]
  readonly profile: NodeProfile
  /** Keeps clusters that meet by accident apart; at most 255 bytes. Default: none, as peers before memberlist 0.3 need it. */
  readonly label?: string
  /** Default: the profile `tailnet`. */
  readonly membership?: MembershipConfig
}
