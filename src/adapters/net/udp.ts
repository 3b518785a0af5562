/** ports/datagrams.ts over node:dgram. One datagram per send, no queue and no retry: the protocol above expects loss. */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { OpenDatagrams } from '../../ports/datagrams.ts'
import { errorCode, listenError } from './listen-error.ts'
import { fromSocket, toSocketIp } from './socket-address.ts'

/** Room for bursts while the event loop is busy. The kernel grants what its own limit allows. */
const receiveBufferBytes = 2 * 1024 * 1024

/** What says that the other side is not there. A full buffer or a firewall of our own says nothing about it. */
const absenceCodes: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
])

export const openDatagrams: OpenDatagrams = async (bind, handlers) => {
  const family = isIPv6(bind.ip) ? 6 : 4
  // Addresses are literals, and without a look-up a datagram has left when `send` returns.
  const socket = createSocket({ type: `udp${family}`, lookup: (ip, _options, found) => found(null, ip, family) })
  await bound(socket, bind)
  growReceiveBuffer(socket)
  let isOpen = true

  socket.on('message', (bytes, sender) => {
    if (isOpen && bytes.length > 0) handlers.onPacket(fromSocket(sender.address, sender.port), bytes)
  })
  // Errors of earlier sends may surface here, without telling which; UDP may lose packets.
  socket.on('error', () => undefined)

  return {
    local: { ip: bind.ip, port: socket.address().port },
    send(to, bytes) {
      if (!isOpen) return
      try {
        socket.send(bytes, to.port, toSocketIp(bind.ip, to.ip), error => {
          if (isOpen && absenceCodes.has(errorCode(error))) handlers.onUndeliverable(to)
        })
      } catch {
        // A port no socket takes (0, in a foreign message): nobody can be there.
        queueMicrotask(() => isOpen && handlers.onUndeliverable(to))
      }
    },
    close() {
      if (!isOpen) return Promise.resolve()
      isOpen = false
      return new Promise(resolve => socket.close(() => resolve()))
    },
  }
}

function bound(socket: Socket, bind: { readonly ip: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => {
      socket.close()
      reject(listenError('UDP', bind, cause))
    }
    socket.once('error', onError)
    socket.bind({ address: bind.ip, port: bind.port, exclusive: true }, () => {
      socket.off('error', onError)
      resolve()
    })
  })
}

/** Some systems refuse instead of granting less, so ask for half until it is taken. */
function growReceiveBuffer(socket: Socket): void {
  for (let size = receiveBufferBytes; size >= 65_536; size /= 2) {
    try {
      socket.setRecvBufferSize(size)
      return
    } catch {
      continue
    }
  }
}
