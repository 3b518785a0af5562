/**
 * May a request be sent again after an attempt failed? Only when a second delivery does no harm (idempotent by method or
 * by the client's own Idempotency-Key) and we still have all of it, or when not one byte of it had left.
 */

/** `buffered`: we hold the whole body. `streamed`: it passes through and is gone once sent. */
export type BodyKind = 'none' | 'buffered' | 'streamed'

export interface Replay {
  readonly idempotent: boolean
  readonly body: BodyKind
}

/** RFC 9110 section 9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export function isIdempotent(method: string, idempotencyKey: string | undefined): boolean {
  return idempotentMethods.has(method) || (idempotencyKey !== undefined && idempotencyKey.trim() !== '')
}

export function maySendAgain(replay: Replay, bytesSent: boolean): boolean {
  return !bytesSent || (replay.idempotent && replay.body !== 'streamed')
}
