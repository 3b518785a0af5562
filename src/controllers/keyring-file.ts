/**
 * The keyring of this node on disk: base64 keys, the primary first. Once the file is there it alone says which keys are
 * used; a configured key only begins it. A file that cannot be read ends the start: without its keys gossip would be in clear.
 */
import { isGossipKey, keysMax } from '../core/cluster/index.ts'
import type { GossipKey, Keyring } from '../core/membership/index.ts'
import { equalBytes } from '../kernel/bytes.ts'
import { ConstellationError } from '../kernel/errors.ts'
import type { Log } from '../ports/log.ts'
import type { StateFiles } from '../ports/state-files.ts'

export interface KeyringFile {
  /** Empty: there is no file, and no key was configured. Rejects with `KEYRING_MALFORMED`, or as `files.read` does. */
  load(): Promise<Keyring>
  /** Rejects when the disk did not take it. */
  keep(keyring: Keyring): Promise<void>
}

export interface KeyringFileParts {
  /** Of secrets: mode 0600. */
  readonly files: StateFiles
  readonly name: string
  /** The key of a node that has no file yet. */
  readonly firstKey: GossipKey | undefined
  readonly log: Log
}

const version = 1

export function createKeyringFile({ files, name, firstKey, log }: KeyringFileParts): KeyringFile {
  const keep = (keyring: Keyring): Promise<void> => files.write(name, textOf(keyring))

  async function begin(): Promise<Keyring> {
    if (firstKey === undefined) return []
    const keyring = [firstKey]
    // The configuration will give us the same key again, so a full disk is no reason not to start.
    await keep(keyring).catch((error: unknown) =>
      log.warn('the gossip keyring could not be written; its keys cannot be changed until it can', { error }),
    )
    return keyring
  }

  return {
    keep,
    async load() {
      const text = await files.read(name)
      if (text === undefined) return begin()
      const keyring = parseKeyring(text)
      if (keyring === undefined)
        throw new ConstellationError('KEYRING_MALFORMED', `the gossip keyring ${name} does not hold keys`, {
          hint: 'copy that of another node (mode 0600); or remove it, and gossip.key begins a new one',
        })
      if (firstKey !== undefined && !keyring.some(key => equalBytes(key, firstKey)))
        log.warn('gossip.key is none of the keys in the keyring and is not used', { file: name })
      return keyring
    },
  }
}

function textOf(keyring: Keyring): string {
  const keys = keyring.map(key => Buffer.from(key).toString('base64'))
  return `${JSON.stringify({ version, keys }, null, 2)}\n`
}

function parseKeyring(text: string): Keyring | undefined {
  const { version: told, keys } = membersOf(text)
  if (told !== version || !Array.isArray(keys)) return undefined
  const keyring = keys
    .map(key => (typeof key === 'string' ? parseKey(key) : undefined))
    .filter(key => key !== undefined)
  return keyring.length === keys.length && keyring.length > 0 && keyring.length <= keysMax ? keyring : undefined
}

function membersOf(text: string): { readonly version?: unknown; readonly keys?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Base64 of 16, 24 or 32 bytes; undefined when it is not. Strict: a cut or mistyped key must not become another key. */
export function parseKey(text: string): GossipKey | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text || !isGossipKey(bytes)) return undefined
  return new Uint8Array(bytes)
}
