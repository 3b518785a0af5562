/**
 * The body of a client's request: none, small enough to keep, or passed through. Passing through reads from the client
 * only as fast as the instance takes it, so an upload of any size needs the memory of a few chunks.
 */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'buffered'; readonly bytes: Buffer }
  /** May be opened again as long as nothing was read from what was opened before. */
  | { readonly kind: 'streamed'; readonly open: (onUploaded: () => void) => Readable }

/** What the headers announce. A body without a length might be of any size, so it passes through. */
export function announcedBody(request: IncomingMessage, replayBytesMax: number): RequestBody['kind'] {
  if (request.headers['transfer-encoding'] !== undefined) return 'streamed'
  const sizeBytes = Number(request.headers['content-length'] ?? 0)
  if (sizeBytes === 0) return 'none'
  return sizeBytes <= replayBytesMax ? 'buffered' : 'streamed'
}

/** Calls `onComplete` with the whole body; never, when the client goes away first. */
export function collectBody(request: IncomingMessage, onComplete: (bytes: Buffer) => void): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.once('end', () => onComplete(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
}

/**
 * A stream of its own, because undici destroys the body it is given when an attempt ends, and the client's connection
 * must survive that.
 */
export function passThrough(request: IncomingMessage, onUploaded: () => void): Readable {
  const onData = (chunk: Buffer): void => {
    if (!stream.push(chunk)) request.pause()
  }
  const onEnd = (): void => {
    stream.push(null)
    onUploaded()
  }
  let listening = false
  const stream = new Readable({
    read() {
      if (!listening) request.on('data', onData).once('end', onEnd)
      listening = true
      request.resume()
    },
    destroy(error, done) {
      request.off('data', onData).off('end', onEnd)
      done(error)
    },
  })
  return stream
}
