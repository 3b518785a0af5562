/**
 * One HTTP server on several addresses: the agent listens on loopback and on its mesh address, never on all of them.
 * Node binds a server to one address, so the further ones hand their requests to the first.
 */
import { createServer, type Server, type ServerOptions } from 'node:http'
import { ConstellationError } from '../kernel/errors.ts'
import { formatAddress, type Address } from '../kernel/units.ts'
import type { Part } from './lifecycle.ts'

/** `addresses` must not be empty; equal ones are bound once. Rejects with `ADDRESS_IN_USE` or `ADDRESS_UNAVAILABLE`. */
export function listening(name: string, main: Server, addresses: readonly Address[]): Part {
  const servers: Server[] = []
  return {
    name,
    async start() {
      const distinct = [...new Map(addresses.map(address => [formatAddress(address), address])).values()]
      try {
        for (const address of distinct) {
          const server = servers.length === 0 ? main : forwardingTo(main)
          await listen(name, server, address)
          servers.push(server)
        }
      } catch (error) {
        await Promise.all(servers.map(close))
        throw error
      }
    },
    async stop() {
      await Promise.all(servers.map(close))
    },
  }
}

/** What a server cannot be told after it was made; the further addresses must not have weaker limits than the first. */
const socketOptions: ServerOptions = {
  maxHeaderSize: 64 * 1024,
  connectionsCheckingInterval: 5_000,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
  noDelay: true,
}

function forwardingTo(main: Server): Server {
  const server = createServer(socketOptions)
  for (const event of ['request', 'upgrade', 'clientError', 'connect', 'checkContinue'] as const) {
    if (main.listenerCount(event) > 0) server.on(event, (...details: unknown[]) => main.emit(event, ...details))
  }
  server.timeout = main.timeout
  server.headersTimeout = main.headersTimeout
  server.requestTimeout = main.requestTimeout
  server.keepAliveTimeout = main.keepAliveTimeout
  server.maxHeadersCount = main.maxHeadersCount
  return server
}

function listen(name: string, server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => reject(listenError(name, address, cause))
    server.once('error', onError)
    server.listen({ host: address.ip, port: address.port, exclusive: true }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function listenError(name: string, address: Address, cause: NodeJS.ErrnoException): Error {
  const where = formatAddress(address)
  if (cause.code === 'EADDRINUSE') {
    const hint = `see who holds it (ss -ltnp 'sport = :${address.port}') or choose another port in the configuration`
    return new ConstellationError('ADDRESS_IN_USE', `${name} cannot listen on ${where}: the port is taken`, {
      cause,
      hint,
    })
  }
  const hint = 'the address must belong to this node; is the mesh interface up?'
  return new ConstellationError('ADDRESS_UNAVAILABLE', `${name} cannot listen on ${where}`, { cause, hint })
}

/** Idle connections end at once; busy ones get a moment to finish their answer. */
function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 2_000).unref()
  })
}
