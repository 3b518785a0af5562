/** The socket ports over the simulated network: what a whole cluster needs to run on virtual time. */
import type { Address } from '../../kernel/units.ts'
import type { DatagramHandlers, OpenDatagrams } from '../../ports/datagrams.ts'
import type { OpenStreams } from '../../ports/streams.ts'
import type { SimNetwork, SimSocket } from './network.ts'

export interface SimSockets {
  readonly openDatagrams: OpenDatagrams
  readonly openStreams: OpenStreams
}

/** One node's sockets; both must be opened at one address, datagrams first, as the cluster does. */
export function simSockets(network: SimNetwork): SimSockets {
  let datagramHandlers: DatagramHandlers | undefined
  let socket: SimSocket | undefined
  const detach = (): Promise<void> => {
    socket?.detach()
    socket = undefined
    return Promise.resolve()
  }
  return {
    openDatagrams(bind: Address, handlers) {
      datagramHandlers = handlers
      return Promise.resolve({ local: bind, send: (to, bytes) => socket?.send(to, bytes), close: detach })
    },
    openStreams(bind, _limits, handlers) {
      socket = network.attach(bind, {
        onPacket: (from, bytes) => datagramHandlers?.onPacket(from, bytes),
        onUndeliverable: to => datagramHandlers?.onUndeliverable(to),
        ...handlers,
      })
      return Promise.resolve({
        local: bind,
        dial: (stream, to) => socket?.dial(stream, to),
        write: (stream, bytes) => socket?.write(stream, bytes),
        close: stream => socket?.close(stream),
        shutdown: detach,
      })
    },
  }
}
