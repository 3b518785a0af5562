/**
 * The agents we have met, kept on disk, so that a node finds its cluster again when every seed is gone. Who leaves is
 * struck off; who dies stays, for it may be the first to come back.
 */
import { decodeProfile } from '../core/registry/index.ts'
import type { Member } from '../core/membership/index.ts'
import { isPort } from '../kernel/units.ts'
import type { Address, Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { StateFiles } from '../ports/state-files.ts'
import { createKeptFile } from './kept-file.ts'

export interface PeerList {
  /** Reads the list of the last run. Never rejects. */
  load(): Promise<void>
  addresses(): readonly Address[]
  /** A member was seen, or seen in another state. */
  note(member: Member): void
  strikeOff(name: string): void
  /** We leave for good: no peer is to be looked for at the next start. */
  clear(): void
  /** Writes the list a last time. */
  stop(): Promise<void>
}

interface Peer extends Address {
  readonly name: string
}

const fileName = 'peers.json'
const saveIntervalMs: Millis = 5_000
/** Enough to find a cluster again, few enough to try them all. */
const peersMax = 100

export function createPeerList(ports: {
  readonly clock: Clock
  readonly stateFiles: StateFiles
  readonly log: Log
}): PeerList {
  const { stateFiles, log } = ports
  const file = createKeptFile({ name: fileName, intervalMs: saveIntervalMs }, ports)
  const peers = new Map<string, Peer>()
  let cleared = false

  const save = (): void => file.keep(`${JSON.stringify([...peers.values()], null, 1)}\n`)

  function put(peer: Peer): void {
    const known = peers.get(peer.name)
    if (known?.ip === peer.ip && known.port === peer.port) return
    // The longest unchanged make room.
    for (const name of peers.keys()) {
      if (peers.size < peersMax) break
      peers.delete(name)
    }
    peers.set(peer.name, peer)
    save()
  }

  function strikeOff(name: string): void {
    if (peers.delete(name)) save()
  }

  return {
    async load() {
      try {
        const text = await stateFiles.read(fileName)
        for (const peer of text === undefined ? [] : parsePeers(text)) put(peer)
      } catch (error) {
        log.warn('cannot read the list of known peers, going on without', { file: fileName, error })
      }
    },
    addresses: () => [...peers.values()].map(({ ip, port }) => ({ ip, port })),
    note({ name, address, meta, status }) {
      if (cleared) return
      if (status === 'left') strikeOff(name)
      else if (status === 'alive' && decodeProfile(meta) !== undefined)
        put({ name, ip: address.ip, port: address.port })
    },
    strikeOff,
    clear() {
      cleared = true
      peers.clear()
      save()
    },
    async stop() {
      file.stop()
      await file.flush()
    },
  }
}

/** Throws on text that is no JSON; entries that make no sense are passed over. */
function parsePeers(text: string): readonly Peer[] {
  const value: unknown = JSON.parse(text)
  return Array.isArray(value) ? value.slice(0, peersMax).filter(isPeer) : []
}

function isPeer(value: unknown): value is Peer {
  if (typeof value !== 'object' || value === null) return false
  const { name, ip, port }: Partial<Record<keyof Peer, unknown>> = value
  return typeof name === 'string' && typeof ip === 'string' && isPort(port)
}
