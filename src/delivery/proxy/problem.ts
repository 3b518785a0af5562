/** Answers the proxy gives itself, as RFC 9457 problems: they say whose fault it is and name no address. */
import type { ServerResponse } from 'node:http'
import type { Failure, Tried } from '../../core/proxy/index.ts'
import type { Pool } from '../../core/routing/index.ts'

export interface Problem {
  readonly status: number
  /** Stable, for programs. */
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly retryAfterSeconds?: number
  readonly allow?: string
}

export function answerProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent || response.destroyed) return
  const { status, code, title, detail } = problem
  const body = `${JSON.stringify({ type: 'about:blank', title, status, detail, code })}\n`
  const headers = ['Content-Type', 'application/problem+json', 'Content-Length', String(Buffer.byteLength(body))]
  if (problem.retryAfterSeconds !== undefined) headers.push('Retry-After', String(problem.retryAfterSeconds))
  if (problem.allow !== undefined) headers.push('Allow', problem.allow)
  response.writeHead(status, headers)
  response.end(body)
}

/** Every attempt has failed: 502 or, when time was what ran out, 504. */
export function noAnswer(status: 400 | 502 | 504, pool: Pool, tried: readonly Tried[]): Problem {
  const story = tried.map(({ member, what }) => `${member.node}: ${inWords(what)}`).join('; ')
  const nobody = `no instance of ${pool.service} answered`
  if (status === 502) return { status, code: 'NO_GOOD_ANSWER', title: 'Bad Gateway', detail: `${nobody} (${story})` }
  if (status === 504)
    return { status, code: 'NO_TIMELY_ANSWER', title: 'Gateway Timeout', detail: `${nobody} in time (${story})` }
  const detail = 'the request holds a path or header that cannot be passed on over HTTP/1.1'
  return { status, code: 'UNSENDABLE_REQUEST', title: 'Bad Request', detail }
}

const failureWords: Readonly<Record<Failure, string>> = {
  connectFailed: 'no connection',
  timedOut: 'no answer in time',
  connectionLost: 'connection lost',
  badResponse: 'not HTTP',
  unsendable: 'cannot be sent',
}

function inWords(what: Failure | number): string {
  return typeof what === 'number' ? `status ${what}` : failureWords[what]
}
