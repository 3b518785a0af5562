/**
 * What lies around all packets and streams of a cluster: its label and its keys. A value that is never changed, so that a
 * stream ends with the keys it began with while new ones are taken into use.
 */
import { utf8 } from '../../kernel/bytes.ts'
import { invariant } from '../../kernel/invariant.ts'
import type { Keyring, Security } from './cipher.ts'
import { encryptionBytes } from './encryption.ts'
import { labelBytesMax, labelHeaderBytes } from './label.ts'

export interface Protection {
  /** In UTF-8; empty: packets and streams carry none. */
  readonly label: Uint8Array
  readonly security: Security | undefined
}

export const unprotected: Protection = { label: new Uint8Array(0), security: undefined }

export function createProtection(label = '', security?: Security): Protection {
  const bytes = utf8(label)
  invariant(bytes.length <= labelBytesMax, `a label has at most ${labelBytesMax} bytes, not ${bytes.length}`)
  return { label: bytes, security }
}

export function withKeyring({ label, security }: Protection, keyring: Keyring): Protection {
  invariant(security !== undefined, 'keys are for a machine that was given a cipher')
  return { label, security: { ...security, keyring } }
}

/** What it may add to a packet. Keys can come at any time, so their share counts as soon as there is a cipher. */
export function protectionBytes({ label, security }: Protection): number {
  return labelHeaderBytes(label) + (security === undefined ? 0 : encryptionBytes)
}
