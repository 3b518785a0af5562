/**
 * The keyring file, the cipher and the names of keys, put together where the cluster lives. Takes plain data only, so that
 * this may be another thread than the one that read the configuration.
 */
import { basename, dirname } from 'node:path'
import { diskSecretFiles } from '../adapters/disk/secret-files.ts'
import { aesGcm } from '../adapters/node/aes-gcm.ts'
import { keyFingerprint } from '../adapters/node/key-fingerprint.ts'
import type { Keyring } from '../core/membership/index.ts'
import type { ClusterPorts } from '../controllers/cluster.ts'
import { createKeyringFile, parseKey } from '../controllers/keyring-file.ts'
import type { Log } from '../ports/log.ts'
import type { Config } from './config.ts'

export type GossipSecuritySettings = Pick<Config['gossip'], 'keyringFile' | 'key' | 'verifyIncoming' | 'verifyOutgoing'>

/** Rejects when there are keys and they cannot be read: the node must not talk in clear because of that. */
export async function openGossipSecurity(
  { keyringFile, key, verifyIncoming, verifyOutgoing }: GossipSecuritySettings,
  log: Log,
): Promise<Pick<ClusterPorts, 'security' | 'keyKeeper'>> {
  const firstKey = key === undefined ? undefined : parseKey(key)
  const files = diskSecretFiles(dirname(keyringFile))
  const file = createKeyringFile({ files, name: basename(keyringFile), firstKey, log })
  const keyring = await file.load()
  const keyKeeper = { fingerprint: keyFingerprint, keep: (ring: Keyring) => file.keep(ring) }
  if (keyring.length === 0) {
    log.info('gossip is in clear: whoever reaches its port can join; gossip.key encrypts it')
    return { keyKeeper }
  }
  log.info('gossip is encrypted', { keys: keyring.map(keyFingerprint), verifyIncoming, verifyOutgoing })
  return { keyKeeper, security: { cipher: aesGcm(), keyring, verifyIncoming, verifyOutgoing } }
}
