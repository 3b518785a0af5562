/**
 * What the membership needs of cryptography, and the keys it uses. The arithmetic itself (AES-GCM) comes from outside, for
 * the core has neither Node's crypto nor randomness that could make a nonce.
 */

/** 16, 24 or 32 bytes: AES-128, -192, -256. */
export type GossipKey = Uint8Array

/** The first key is the primary: it encrypts. All are tried to decrypt. Empty: gossip is in clear. */
export type Keyring = readonly GossipKey[]

/** AES-GCM with a 96-bit nonce and a 128-bit tag. A nonce is random and never used twice with one key. */
export interface Cipher {
  /** `nonce 12 | ciphertext | tag 16`. `associated` is authenticated, not sent. */
  seal(key: GossipKey, plain: Uint8Array, associated: Uint8Array): Uint8Array
  /** Of what `seal` made; undefined when the key is another or a bit was changed. */
  open(key: GossipKey, sealed: Uint8Array, associated: Uint8Array): Uint8Array | undefined
}

/** How packets and streams are protected. */
export interface Security {
  readonly cipher: Cipher
  readonly keyring: Keyring
  /** With keys: refuse what came in clear. False only while keys are being introduced into a running cluster. */
  readonly verifyIncoming: boolean
  /** With keys: encrypt what we send. False only while keys are being introduced. */
  readonly verifyOutgoing: boolean
}
