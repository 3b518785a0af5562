/** Answers the proxy gives itself, as RFC 9457 problems: they say whose fault it is and name no address. */
import type { ServerResponse } from 'node:http'

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
