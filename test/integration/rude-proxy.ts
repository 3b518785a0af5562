/**
 * A unix socket in front of an engine that behaves as badly as networks and proxies do. Only answers are spoiled; what is asked
 * passes. A rule is for connections whose request line contains some text, and takes effect with their next piece of answer.
 */
import { createServer, connect } from 'node:net'
import type { Socket } from 'node:net'
import { rmSync } from 'node:fs'

export type Rudeness =
  | { readonly kind: 'polite' }
  /** Answers arrive this much later. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** The connection stays open and nothing comes any more. */
  | { readonly kind: 'stall' }
  /** This many bytes of the next piece, then nothing any more, or the end of the connection. */
  | { readonly kind: 'stallAfter' | 'cutAfter'; readonly bytes: number }
  | { readonly kind: 'garbage'; readonly text: string }

export interface RudeProxy {
  readonly socketPath: string
  /** Towards `on` (as in `GET /v1.41/events`), from now on, connections that are open included. */
  behave(on: string, rudeness: Rudeness): void
  /** Only towards the connections that are open. */
  spoilOpen(on: string, rudeness: Rudeness): void
  /** Requests seen that contain `text`. */
  count(text: string): number
  close(): Promise<void>
}

export async function openRudeProxy(socketPath: string, target: string): Promise<RudeProxy> {
  const rules = new Map<string, Rudeness>()
  const open = new Set<{ request: string; rudeness?: Rudeness }>()
  const requests: string[] = []
  const sockets = new Set<Socket>()

  const server = createServer(client => {
    const upstream = connect(target)
    const connection: { request: string; rudeness?: Rudeness } = { request: '' }
    open.add(connection)
    let isMute = false
    const rule = (): Rudeness => {
      const general = [...rules].find(([on]) => connection.request.includes(on))
      return connection.rudeness ?? general?.[1] ?? { kind: 'polite' }
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (piece: Buffer) => {
      if (connection.request === '') {
        connection.request = piece.toString('latin1').split('\r\n')[0] ?? ''
        requests.push(connection.request)
      }
      upstream.write(piece)
    })
    upstream.on('data', (piece: Buffer) => {
      if (!isMute) isMute = spoil(client, piece, rule())
    })
    client.on('close', () => {
      open.delete(connection)
      upstream.destroy()
    })
    upstream.on('close', () => {
      const { kind } = rule()
      if (kind === 'slow') setTimeout(() => client.end(), 5_000)
      else if (!isMute) client.end()
    })
  })
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
  return {
    socketPath,
    behave: (on, rudeness) => void rules.set(on, rudeness),
    spoilOpen(on, rudeness) {
      for (const connection of open) if (connection.request.includes(on)) connection.rudeness = rudeness
    },
    count: text => requests.filter(request => request.includes(text)).length,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
      rmSync(socketPath, { force: true })
    },
  }
}

/** Answers whether nothing more may be said on this connection. */
function spoil(client: Socket, piece: Buffer, rudeness: Rudeness): boolean {
  if (rudeness.kind === 'polite') client.write(piece)
  if (rudeness.kind === 'garbage') client.write(rudeness.text)
  if (rudeness.kind === 'slow') setTimeout(() => client.write(piece), rudeness.delayMs)
  if (rudeness.kind === 'stallAfter') client.write(piece.subarray(0, rudeness.bytes))
  if (rudeness.kind === 'cutAfter') client.end(piece.subarray(0, rudeness.bytes))
  return rudeness.kind === 'stall' || rudeness.kind === 'stallAfter' || rudeness.kind === 'cutAfter'
}
