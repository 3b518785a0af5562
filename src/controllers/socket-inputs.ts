/** What sockets tell, as inputs of a machine: the same words whether the sockets are real or simulated. Decides nothing. */
import type { Input } from '../core/membership/index.ts'
import type { DatagramHandlers } from '../ports/datagrams.ts'
import type { StreamHandlers } from '../ports/streams.ts'

type SocketKind =
  'packetReceived' | 'packetUndeliverable' | 'streamAccepted' | 'streamConnected' | 'streamData' | 'streamClosed'

type Untimed<I> = I extends { readonly kind: SocketKind } ? Omit<I, 'now'> : never

/** Without its time, which whoever feeds the machine adds. */
export type SocketInput = Untimed<Input>

export function socketInputs(feed: (input: SocketInput) => void): DatagramHandlers & StreamHandlers {
  return {
    onPacket: (from, bytes) => feed({ kind: 'packetReceived', from, bytes }),
    onUndeliverable: to => feed({ kind: 'packetUndeliverable', to }),
    onAccepted: (stream, from) => feed({ kind: 'streamAccepted', stream, from }),
    onConnected: stream => feed({ kind: 'streamConnected', stream }),
    onData: (stream, bytes) => feed({ kind: 'streamData', stream, bytes }),
    onClosed: (stream, reason) => feed({ kind: 'streamClosed', stream, ...(reason === undefined ? {} : { reason }) }),
  }
}
