/**
 * AES-GCM of Node's own OpenSSL, with nonces of the operating system's generator. Must not keep a key longer than whoever
 * handed it in: what is prepared of a key goes with it.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto'
import type { CipherGCMTypes, KeyObject } from 'node:crypto'
import type { Cipher, GossipKey } from '../../core/membership/index.ts'
import { invariant } from '../../kernel/invariant.ts'

const nonceBytes = 12
const tagBytes = 16

/** By the length of the key in bytes. */
const algorithms: ReadonlyMap<number, CipherGCMTypes> = new Map([
  [16, 'aes-128-gcm'],
  [24, 'aes-192-gcm'],
  [32, 'aes-256-gcm'],
])

interface Prepared {
  readonly algorithm: CipherGCMTypes
  readonly key: KeyObject
}

export function aesGcm(): Cipher {
  const prepared = new WeakMap<GossipKey, Prepared>()

  function prepare(key: GossipKey): Prepared {
    const known = prepared.get(key)
    if (known !== undefined) return known
    const algorithm = algorithms.get(key.length)
    invariant(algorithm !== undefined, `a gossip key has 16, 24 or 32 bytes, not ${key.length}`)
    const fresh = { algorithm, key: createSecretKey(key) }
    prepared.set(key, fresh)
    return fresh
  }

  return {
    seal(gossipKey, plain, associated) {
      const { algorithm, key } = prepare(gossipKey)
      const sealed = new Uint8Array(nonceBytes + plain.length + tagBytes)
      const nonce = sealed.subarray(0, nonceBytes)
      randomFillSync(nonce)
      const cipher = createCipheriv(algorithm, key, nonce)
      cipher.setAAD(associated)
      sealed.set(cipher.update(plain), nonceBytes)
      cipher.final()
      sealed.set(cipher.getAuthTag(), nonceBytes + plain.length)
      return sealed
    },

    open(gossipKey, sealed, associated) {
      if (sealed.length < nonceBytes + tagBytes) return undefined
      const { algorithm, key } = prepare(gossipKey)
      const tagAt = sealed.length - tagBytes
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
      decipher.setAAD(associated)
      decipher.setAuthTag(sealed.subarray(tagAt))
      const plain = decipher.update(sealed.subarray(nonceBytes, tagAt))
      try {
        decipher.final()
      } catch {
        // The only thing that can go wrong here: the tag is another.
        return undefined
      }
      // A plain array, for a Buffer slices differently.
      return new Uint8Array(plain.buffer, plain.byteOffset, plain.length)
    },
  }
}
