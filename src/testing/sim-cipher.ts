/**
 * Real AES-GCM whose nonces count up, so that one seed replays a run byte for byte. All nodes of a simulation may share
 * one. Must never leave tests: two processes with the same key would use the same nonces.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { CipherGCMTypes } from 'node:crypto'
import { concatBytes } from '../kernel/bytes.ts'
import type { Cipher, GossipKey, Security } from '../core/membership/index.ts'

const nonceBytes = 12
const tagBytes = 16

export function createSimCipher(): Cipher {
  let sealings = 0
  return {
    seal(key, plain, associated) {
      const nonce = new Uint8Array(nonceBytes)
      new DataView(nonce.buffer).setUint32(nonceBytes - 4, ++sealings)
      const cipher = createCipheriv(algorithmOf(key), key, nonce).setAAD(associated)
      const parts = [nonce, cipher.update(plain), cipher.final()]
      return concatBytes([...parts, cipher.getAuthTag()])
    },
    open(key, sealed, associated) {
      const tagAt = sealed.length - tagBytes
      if (tagAt < nonceBytes) return undefined
      const decipher = createDecipheriv(algorithmOf(key), key, sealed.subarray(0, nonceBytes))
      decipher.setAAD(associated).setAuthTag(sealed.subarray(tagAt))
      const plain = Uint8Array.from(decipher.update(sealed.subarray(nonceBytes, tagAt)))
      try {
        decipher.final()
      } catch {
        // The tag is another.
        return undefined
      }
      return plain
    },
  }
}

/** A key of 32 equal bytes. */
export function aGossipKey(byte: number): GossipKey {
  return new Uint8Array(32).fill(byte)
}

/** Both ways enforced, with these keys; the first is the primary. */
export function aSecurity(keyring: readonly GossipKey[], over: Partial<Security> = {}): Security {
  return { cipher: createSimCipher(), keyring, verifyIncoming: true, verifyOutgoing: true, ...over }
}

function algorithmOf(key: GossipKey): CipherGCMTypes {
  if (key.length === 16) return 'aes-128-gcm'
  return key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm'
}
