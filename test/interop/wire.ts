/**
 * The wires of one node of ours: real sockets that can be cut towards single peers, without a firewall and without the
 * peer's help, and that remember what passed in clear. Only what leaves is cut; the other direction is the peer's own.
 */
import { openStreams } from '../../src/adapters/net/tcp.ts'
import { openDatagrams } from '../../src/adapters/net/udp.ts'
import type { ClusterPorts } from '../../src/controllers/cluster.ts'
import { decodePacket } from '../../src/core/membership/index.ts'
import type { PacketMessage } from '../../src/core/membership/index.ts'
import { formatAddress } from '../../src/kernel/units.ts'
import type { Address } from '../../src/kernel/units.ts'

export interface Packet {
  readonly direction: 'in' | 'out'
  /** `ip:port` of the other side. */
  readonly peer: string
  readonly bytes: Uint8Array
  /** Empty when it was encrypted. */
  readonly messages: readonly PacketMessage[]
}

export interface Wire {
  /** For `startCluster`. */
  readonly ports: Pick<ClusterPorts, 'openDatagrams' | 'openStreams'>
  /** In the order they passed; what was cut is not among them. */
  readonly packets: readonly Packet[]
  /** How many streams we began towards this peer. */
  dialsTo(peer: Address): number
  cut(kind: 'udp' | 'tcp' | 'all', ...peers: readonly Address[]): void
  heal(): void
}

export function createWire(): Wire {
  const packets: Packet[] = []
  const dials: string[] = []
  const cuts = new Set<string>()
  const isCut = (kind: 'udp' | 'tcp', peer: Address): boolean => cuts.has(`${kind} ${formatAddress(peer)}`)
  const note = (direction: Packet['direction'], peer: Address, bytes: Uint8Array): void => {
    packets.push({ direction, peer: formatAddress(peer), bytes: bytes.slice(), messages: decodePacket(bytes).messages })
  }
  return {
    packets,
    dialsTo: peer => dials.filter(dialled => dialled === formatAddress(peer)).length,
    cut(kind, ...peers) {
      for (const peer of peers) {
        if (kind !== 'tcp') cuts.add(`udp ${formatAddress(peer)}`)
        if (kind !== 'udp') cuts.add(`tcp ${formatAddress(peer)}`)
      }
    },
    heal: () => cuts.clear(),
    ports: {
      async openDatagrams(bind, handlers) {
        const socket = await openDatagrams(bind, {
          ...handlers,
          onPacket(from, bytes) {
            note('in', from, bytes)
            handlers.onPacket(from, bytes)
          },
        })
        return {
          ...socket,
          send(to, bytes) {
            if (isCut('udp', to)) return
            note('out', to, bytes)
            socket.send(to, bytes)
          },
        }
      },
      async openStreams(bind, limits, handlers) {
        const streams = await openStreams(bind, limits, handlers)
        return {
          ...streams,
          dial(stream, to) {
            dials.push(formatAddress(to))
            if (isCut('tcp', to)) setImmediate(() => handlers.onClosed(stream, 'the wire is cut'))
            else streams.dial(stream, to)
          },
        }
      },
    },
  }
}

/** Messages of one kind that passed, oldest first. */
export function messagesOn<K extends PacketMessage['kind']>(
  { packets }: Wire,
  direction: Packet['direction'],
  kind: K,
): readonly Extract<PacketMessage, { readonly kind: K }>[] {
  return packets
    .filter(packet => packet.direction === direction)
    .flatMap(({ messages }) => messages)
    .filter((message): message is Extract<PacketMessage, { readonly kind: K }> => message.kind === kind)
}
