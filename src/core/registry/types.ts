/** The words of the registry machine: what it is told (inputs) and what it wants done or known (outputs). */
import type { Millis, NodeName } from '../../kernel/units.ts'
import type { EnvelopeFault } from './envelope.ts'
import type { RecordChange } from './merge.ts'
import type { OwnChange, OwnRefused } from './own-section.ts'
import type { Section } from './record.ts'
import type { LocalState } from './exchange.ts'

export type RegistryInput =
  /** From the disk, before anything is sent: higher than any epoch of an earlier run. */
  | { readonly kind: 'epochLoaded'; readonly now: Millis; readonly epoch: number }
  | { readonly kind: 'published'; readonly now: Millis; readonly changes: readonly OwnChange[] }
  | { readonly kind: 'completed'; readonly now: Millis }
  /** A user message: some records, or whole sections that a peer found us to lack. */
  | { readonly kind: 'deltaReceived'; readonly now: Millis; readonly bytes: Uint8Array }
  /** User state of a push/pull: all that a peer holds, or a digest of it. */
  | { readonly kind: 'stateReceived'; readonly now: Millis; readonly bytes: Uint8Array; readonly join?: boolean }
  /** Alive, suspect or dead. Of others nothing is kept: a section nobody belongs to would never be dropped. */
  | { readonly kind: 'memberPresent'; readonly now: Millis; readonly name: NodeName }
  /** Left on purpose, or forgotten. */
  | { readonly kind: 'memberGone'; readonly now: Millis; readonly name: NodeName }
  | { readonly kind: 'tick'; readonly now: Millis }

export type RegistryRefusal = EnvelopeFault | OwnRefused['refusal'] | 'unknownOwner' | 'sectionFull' | 'tooManySections'

export type RegistryOutput =
  /** Gossip it under this name; a later one of the same name replaces it. */
  | { readonly kind: 'broadcast'; readonly name: string; readonly message: Uint8Array }
  /** These broadcasts, as far as they still wait, are of no use to anybody. */
  | { readonly kind: 'withdraw'; readonly names: readonly string[] }
  /** To every alive member directly. */
  | { readonly kind: 'broadcastReliably'; readonly message: Uint8Array }
  /** To a few members directly, whichever they are, but to none of these. */
  | { readonly kind: 'tellSome'; readonly message: Uint8Array; readonly except: readonly NodeName[] }
  /** To this member alone, directly. */
  | { readonly kind: 'sendTo'; readonly to: NodeName; readonly message: Uint8Array }
  /** Without changes the section was dropped, or only its completeness changed. */
  | { readonly kind: 'sectionChanged'; readonly owner: NodeName; readonly changes: readonly RecordChange[] }
  | { readonly kind: 'persistEpoch'; readonly epoch: number }
  | { readonly kind: 'refused'; readonly reason: RegistryRefusal; readonly count: number; readonly detail: string }

export interface Registry {
  step(input: RegistryInput): readonly RegistryOutput[]
  nextDeadline(): Millis | undefined
  /** What travels as user state of a push/pull. */
  localState(now: Millis, join?: boolean): LocalState
  /** Everybody's, ours included. */
  sections(): ReadonlyMap<NodeName, Section>
}

export interface RegistrySettings {
  readonly owner: NodeName
  /** The largest message that may be gossiped. */
  readonly broadcastSizeBytesMax: number
}
