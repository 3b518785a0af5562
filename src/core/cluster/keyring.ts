/**
 * What a key operation makes of a keyring. Pure; the keys themselves are never shown, only their fingerprints.
 * Invariants: no key is in a ring twice; the primary is changed by `use` alone, so a ring that encrypts never stops to.
 */
import { equalBytes } from '../../kernel/bytes.ts'
import { unreachable } from '../../kernel/invariant.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { GossipKey, Keyring } from '../membership/index.ts'
import type { KeyOperation } from './key-operation.ts'

/** Names a key without giving it away: the first twelve hexadecimal digits of a hash. The hash comes from outside. */
export type Fingerprint = (key: GossipKey) => string

/** Every packet that none of them opens is tried with all of them, so a ring stays short. A rotation needs two. */
export const keysMax = 8

export const fingerprintPattern = /^[0-9a-f]{12}$/

const keySizesBytes: readonly number[] = [16, 24, 32]

export function isGossipKey(key: Uint8Array): boolean {
  return keySizesBytes.includes(key.length)
}

/** The ring afterwards, the same object when nothing had to change; or why not, as a sentence for people. */
export function applyKeyOperation(
  keyring: Keyring,
  operation: KeyOperation,
  fingerprint: Fingerprint,
): Result<Keyring, string> {
  switch (operation.kind) {
    case 'list':
      return ok(keyring)
    case 'install':
      return install(keyring, operation.key)
    case 'use':
      return use(keyring, operation.fingerprint, fingerprint)
    case 'remove':
      return remove(keyring, operation.fingerprint, fingerprint)
    default:
      return unreachable(operation)
  }
}

function install(keyring: Keyring, key: GossipKey): Result<Keyring, string> {
  if (!isGossipKey(key)) return fail(`a key has 16, 24 or 32 bytes, this one has ${key.length}`)
  if (keyring.some(known => equalBytes(known, key))) return ok(keyring)
  if (keyring.length >= keysMax) return fail(`${keysMax} keys are installed already; remove one that is not used first`)
  return ok([...keyring, key])
}

function use(keyring: Keyring, wanted: string, fingerprint: Fingerprint): Result<Keyring, string> {
  const key = keyring.find(known => fingerprint(known) === wanted)
  if (key === undefined) return fail(notInstalled(wanted, 'install it first'))
  return ok(key === keyring[0] ? keyring : [key, ...keyring.filter(other => other !== key)])
}

function remove(keyring: Keyring, wanted: string, fingerprint: Fingerprint): Result<Keyring, string> {
  const key = keyring.find(known => fingerprint(known) === wanted)
  if (key === undefined) return fail(notInstalled(wanted, 'there is nothing to remove'))
  if (key === keyring[0]) return fail(`${wanted} is the primary key; use another one first`)
  return ok(keyring.filter(other => other !== key))
}

function notInstalled(wanted: string, advice: string): string {
  return `no installed key has the fingerprint ${wanted}; ${advice}`
}
