/**
 * Every "no" of the API as an RFC 9457 problem: what, where and what to do, with a code for programs. An unexpected error
 * says nothing of the inside; its details are in the log.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'

export interface Problem {
  readonly status: 400 | 401 | 404 | 405 | 408 | 409 | 413 | 415 | 431 | 500 | 503
  /** Stable, for programs: `NODE_UNKNOWN`. */
  readonly code: string
  readonly detail: string
  readonly reasons?: readonly string[]
  /** Further headers the status asks for, such as `allow`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by a route; the error handler of the server turns it into the answer. */
export class ProblemError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

export const problemContentType = 'application/problem+json'

export function problemBody({ status, code, detail, reasons }: Problem): object {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail, code, ...(reasons === undefined ? {} : { reasons }) }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers ?? {})
    .type(problemContentType)
    .serializer((body: object) => JSON.stringify(body))
    .send(problemBody(problem))
}

/** What was thrown, as a problem: ours, the framework's 4xx, or a bug. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined
  const detail = thrown instanceof Error ? thrown.message : ''
  switch (status) {
    case 400:
      return { status, code: 'REQUEST_INVALID', detail }
    case 413:
      return { status, code: 'REQUEST_TOO_LARGE', detail }
    case 415:
      return { status, code: 'MEDIA_TYPE_UNSUPPORTED', detail }
    default:
      return { status: 500, code: 'INTERNAL', detail: 'the agent failed to answer; its log says why' }
  }
}
