/** Conditional requests: whoever asks again for the same bytes gets 304 and no body. Over the bytes, so it is always true. */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** An `onSend` hook for routes whose answer changes with the view only. */
export function answerWithEtag(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (reply.statusCode !== 200 || typeof payload !== 'string') return Promise.resolve(payload)
  const etag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}"`
  void reply.header('etag', etag).header('cache-control', 'no-cache')
  if (!matches(request.headers['if-none-match'], etag)) return Promise.resolve(payload)
  void reply.code(304).removeHeader('content-type').removeHeader('content-length')
  return Promise.resolve(null)
}

/** RFC 9110 13.1.2: a list of validators or `*`, compared weakly. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header
    .split(',')
    .map(item => item.trim().replace(/^W\//, ''))
    .some(item => item === '*' || item === etag)
}
