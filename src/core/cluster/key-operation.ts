/**
 * What can be done with the keyrings of a cluster, and what each member answers. Keys travel only inside encrypted streams;
 * answers name keys by fingerprint.
 */
import type { GossipKey } from '../membership/index.ts'

export type KeyOperation =
  | { readonly kind: 'list' }
  /** Adds a key that decrypts; nothing is encrypted with it yet. */
  | { readonly kind: 'install'; readonly key: GossipKey }
  /** Makes an installed key the primary. */
  | { readonly kind: 'use'; readonly fingerprint: string }
  /** Forgets a key; never the primary. */
  | { readonly kind: 'remove'; readonly fingerprint: string }

/** The keyring of one member after the operation, primary first; `problem` says why the operation was refused. */
export interface KeyReply {
  readonly fingerprints: readonly string[]
  readonly problem?: string
}
