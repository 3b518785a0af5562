/** Names a secret key so that people can compare it: the first twelve hexadecimal digits of its SHA-256. */
import { createHash } from 'node:crypto'

export function keyFingerprint(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12)
}
