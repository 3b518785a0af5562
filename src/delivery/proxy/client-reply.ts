/**
 * The way back to the client. Until `commit` nothing has left, so another attempt can still take over; small answers are
 * held back whole for that. After it the answer streams, at the pace of the client, and a break is passed on as a break:
 * a cut connection, never an answer that looks complete.
 */
import type { ServerResponse } from 'node:http'

export interface ClientReply {
  readonly committed: boolean
  /** Starts to keep an answer; forgets what an earlier attempt had brought. */
  hold(status: number, headers: string[]): void
  /** Sends the head and what was held; from now on data goes straight through. */
  commit(): void
  /** False: the client is slow, `onDrain` follows. */
  data(chunk: Buffer): boolean
  /** The answer is complete. */
  end(): void
  /** The answer broke off. Before `commit` nothing happens. */
  breakOff(): void
}

export function createClientReply(response: ServerResponse, onDrain: () => void): ClientReply {
  let head: { readonly status: number; readonly headers: string[] } | undefined
  let held: Buffer[] = []
  let committed = false
  let draining = false

  function writeHead(): void {
    committed = true
    if (head !== undefined) response.writeHead(head.status, head.headers)
  }

  return {
    get committed() {
      return committed
    },
    hold(status, headers) {
      head = { status, headers }
      held = []
    },
    commit() {
      // Head and first data share a packet when they arrived together; a head alone must not wait (event streams).
      response.cork()
      process.nextTick(() => {
        if (!response.writableEnded) response.uncork()
      })
      writeHead()
      response.flushHeaders()
      for (const chunk of held) response.write(chunk)
      held = []
    },
    data(chunk) {
      if (!committed) {
        held.push(chunk)
        return true
      }
      if (response.write(chunk)) return true
      if (!draining) {
        draining = true
        response.once('drain', () => {
          draining = false
          onDrain()
        })
      }
      return false
    },
    end() {
      if (committed) {
        response.end()
        return
      }
      writeHead()
      const [only] = held
      response.end(held.length === 1 ? only : Buffer.concat(held))
    },
    breakOff() {
      if (committed) response.destroy()
    },
  }
}
