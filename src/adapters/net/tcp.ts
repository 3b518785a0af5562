/**
 * ports/streams.ts over node:net. Holds bytes for nobody without limit: a peer that does not read what it asked for is not
 * read from either, and is cut off when too much has gathered or when it is time to close.
 */
import { createServer, isIP, Socket } from 'node:net'
import type { Server } from 'node:net'
import { formatAddress } from '../../kernel/units.ts'
import type { Address } from '../../kernel/units.ts'
import type { OpenStreams, StreamHandlers } from '../../ports/streams.ts'
import { errorCode, listenError } from './listen-error.ts'
import { fromSocket } from './socket-address.ts'

/** Above the largest state one exchange may write. */
const unsentBytesMax = 8 * 1024 * 1024

/** How long what was written last may take to leave. */
const lingerMs = 5_000

export const openStreams: OpenStreams = async (bind, limits, handlers) => {
  const sockets = new Map<string, Socket>()
  /** These, and those that linger although their stream is closed. */
  const openSockets = new Set<Socket>()
  let isOpen = true
  let inbound = 0
  let accepted = 0

  const server = createServer(socket => {
    const { remoteAddress, remotePort } = socket
    if (!isOpen || inbound >= limits.maxInbound || remoteAddress === undefined || remotePort === undefined) {
      socket.destroy()
      return
    }
    inbound++
    socket.once('close', () => inbound--)
    const stream = `in-${++accepted}`
    adopt(stream, socket)
    handlers.onAccepted(stream, fromSocket(remoteAddress, remotePort))
  })
  await listening(server, bind)

  function adopt(stream: string, socket: Socket): void {
    sockets.set(stream, socket)
    openSockets.add(socket)
    socket.setNoDelay(true)
    socket.on('data', bytes => sockets.get(stream) === socket && handlers.onData(stream, bytes))
    socket.on('drain', () => socket.resume())
    socket.on('end', () => forget(stream, socket, handlers))
    socket.on('error', cause => forget(stream, socket, handlers, errorCode(cause) ?? cause.message))
    socket.on('close', () => {
      openSockets.delete(socket)
      forget(stream, socket, handlers)
    })
  }

  /** Tells once, and only of streams that we have not closed ourselves. */
  function forget(stream: string, socket: Socket, tell?: StreamHandlers, reason?: string): void {
    if (sockets.get(stream) !== socket) return
    sockets.delete(stream)
    if (isOpen) tell?.onClosed(stream, reason)
  }

  function dial(stream: string, to: Address): void {
    if (!isOpen) return
    const socket = new Socket()
    adopt(stream, socket)
    const tooLate = setTimeout(
      () => socket.destroy(new Error(`no answer from ${formatAddress(to)} within ${limits.connectTimeoutMs} ms`)),
      limits.connectTimeoutMs,
    )
    socket.once('close', () => clearTimeout(tooLate))
    try {
      socket.connect({ host: to.ip, port: to.port, ...sourceFor(bind.ip, to.ip) }, () => {
        clearTimeout(tooLate)
        if (sockets.get(stream) === socket) handlers.onConnected(stream)
      })
    } catch (cause) {
      // An address no socket takes; told later, as every other outcome is.
      socket.destroy(cause instanceof Error ? cause : undefined)
    }
  }

  return {
    local: { ip: bind.ip, port: portOf(server) ?? bind.port },
    dial,
    write(stream, bytes) {
      const socket = sockets.get(stream)
      if (socket === undefined) return
      if (socket.writableLength + bytes.length > unsentBytesMax) socket.destroy(new Error('the peer does not read'))
      else if (!socket.write(bytes)) socket.pause()
    },
    close(stream) {
      const socket = sockets.get(stream)
      if (socket === undefined) return
      forget(stream, socket)
      endPolitely(socket)
    },
    shutdown() {
      if (!isOpen) return Promise.resolve()
      isOpen = false
      for (const socket of openSockets) socket.destroy()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

/** Peers know us by the address we are bound to; the routing table might choose another one of this node's. */
function sourceFor(bindIp: string, toIp: string): { readonly localAddress?: string } {
  const isEvery = bindIp === '0.0.0.0' || bindIp === '::'
  return isEvery || isIP(bindIp) !== isIP(toIp) ? {} : { localAddress: bindIp }
}

/** What was written last leaves first; what still comes in is thrown away, or the other side would never be done. */
function endPolitely(socket: Socket): void {
  if (socket.connecting) {
    socket.destroy()
    return
  }
  const cutOff = setTimeout(() => socket.destroy(), lingerMs).unref()
  socket.once('close', () => clearTimeout(cutOff))
  socket.end()
  socket.resume()
}

function listening(server: Server, bind: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(listenError('TCP', bind, cause))
    server.once('error', onError)
    server.listen({ host: bind.ip, port: bind.port, exclusive: true }, () => {
      server.off('error', onError)
      // Out of descriptors, say: that connection is lost, the server goes on.
      server.on('error', () => undefined)
      resolve()
    })
  })
}

function portOf(server: Server): number | undefined {
  const address = server.address()
  return address === null || typeof address === 'string' ? undefined : address.port
}
