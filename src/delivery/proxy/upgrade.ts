/**
 * Connections that stop being HTTP: WebSocket. The handshake is an ordinary request (checked, forwarded and failed over
 * like any other); once an instance has switched, bytes pass both ways until one end closes. Other protocols are refused.
 */
import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline, type Duplex } from 'node:stream'

export interface Tunnels {
  readonly active: number
  /** An ordinary response on the socket of an upgrade request; the connection ends with it. */
  respondOn(request: IncomingMessage, socket: Socket): ServerResponse
  /** Tells the client that `protocol` is spoken from now on and connects both ends. */
  open(response: ServerResponse, client: Socket, upstream: Duplex, protocol: string, headers: readonly string[]): void
  closeAll(): void
}

export function createTunnels(): Tunnels {
  /** Sockets the HTTP server no longer counts as its own. */
  const taken = new Set<Socket>()
  let active = 0
  return {
    get active() {
      return active
    },
    respondOn(request, socket) {
      taken.add(socket)
      socket.once('close', () => taken.delete(socket))
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket)
      response.once('finish', () => {
        response.detachSocket(socket)
        socket.destroySoon()
      })
      // Its error means the client is gone, which the response's `close` tells.
      socket.on('error', () => undefined)
      return response
    },
    open(response, client, upstream, protocol, headers) {
      response.detachSocket(client)
      client.setTimeout(0)
      client.write(switchingHead(protocol, headers), 'latin1')
      active++
      pipeline(client, upstream, client, () => {
        active--
        // Half a tunnel serves nobody.
        client.destroy()
        upstream.destroy()
      })
    },
    closeAll() {
      for (const socket of taken) socket.destroy()
    },
  }
}

/** The protocol of an upgrade we take part in. */
export function tunnelledProtocol(request: IncomingMessage): string | undefined {
  return request.headers.upgrade?.trim().toLowerCase() === 'websocket' ? 'websocket' : undefined
}

function switchingHead(protocol: string, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 101 Switching Protocols`, `Connection: Upgrade`, `Upgrade: ${protocol}`]
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
