/** The words of the cluster machine: membership and registry as one, with everything that passes between them left out. */
import type { Address, Millis, NodeName } from '../../kernel/units.ts'
import type { Input, Keyring, Member, MembershipStats, Output } from '../membership/index.ts'
import type { OwnChange, RegistryOutput, RegistryRefusal, Section } from '../registry/index.ts'
import type { KeyOperation, KeyReply } from './key-operation.ts'

/** What the registry says through the membership is nobody else's business. */
type Internal =
  'broadcast' | 'broadcastsWithdrawn' | 'broadcastReliably' | 'sendReliably' | 'sendToSome' | 'keyringChanged'

export type ClusterInput =
  | Exclude<Input, { readonly kind: Internal }>
  /** From the disk, before anything is sent: higher than any epoch of an earlier run. */
  | { readonly kind: 'epochLoaded'; readonly now: Millis; readonly epoch: number }
  | { readonly kind: 'published'; readonly now: Millis; readonly changes: readonly OwnChange[] }
  /** Our section now says everything. */
  | { readonly kind: 'completed'; readonly now: Millis }
  /** Do this with the keyrings of all alive members, ours included; each answers with a `keyReply`. */
  | {
      readonly kind: 'keyRequest'
      readonly now: Millis
      /** Never used before, except to repeat the request. */
      readonly id: string
      readonly operation: KeyOperation
      /** Repeats the request to those who have not answered. */
      readonly only?: readonly NodeName[]
    }
  /** What became of `keyringChanged`; `problem` says why the disk did not take it: the keyring then stays as it was. */
  | { readonly kind: 'keyringKept'; readonly now: Millis; readonly problem?: string }

/** How a record came to us. */
export interface Heard {
  readonly from: Address
  readonly via: 'gossip' | 'direct' | 'pushPull'
}

export type ClusterOutput =
  | Exclude<Output, { readonly kind: 'userMessage' | 'remoteState' }>
  /** `heard` is absent when it was our own doing. */
  | (Extract<RegistryOutput, { readonly kind: 'sectionChanged' }> & { readonly heard?: Heard })
  | Extract<RegistryOutput, { readonly kind: 'persistEpoch' }>
  | {
      readonly kind: 'recordsRefused'
      readonly reason: RegistryRefusal
      readonly count: number
      readonly detail: string
    }
  /** That many sections are each too large for any message; peers have them by deltas alone. */
  | { readonly kind: 'stateOmitted'; readonly sections: number }
  /** To be kept on disk; it is used, and answered for, once `keyringKept` says that it is there. */
  | { readonly kind: 'keyringChanged'; readonly keyring: Keyring }
  /** Whom a `keyRequest` of ours was sent to; nobody when we refused it ourselves. */
  | { readonly kind: 'keyRequestSent'; readonly id: string; readonly to: readonly NodeName[] }
  /** One member's answer to a `keyRequest` of ours. Our own comes as well, when it was refused at once. */
  | { readonly kind: 'keyReply'; readonly id: string; readonly node: NodeName; readonly reply: KeyReply }

export interface ClusterMachine {
  step(input: ClusterInput): readonly ClusterOutput[]
  nextDeadline(): Millis | undefined
  /** Ordered by name, ourselves included. */
  members(): readonly Member[]
  sections(): ReadonlyMap<NodeName, Section>
  stats(): MembershipStats
}
