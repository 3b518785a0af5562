/**
 * One request from its arrival to its end. Feeds the pure machine of core/proxy/attempts.ts with what happens upstream
 * and performs its answers. Holds no policy: which member, how often and how long is decided there.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  createAttempts,
  headerValue,
  isIdempotent,
  journeyHeaders,
  responseHeadersToForward,
  type AttemptAction,
  type Attempts,
  type Failure,
  type Journey,
} from '../../core/proxy/index.ts'
import type { Pool, PoolMember } from '../../core/routing/index.ts'
import { unreachable } from '../../kernel/invariant.ts'
import { createClientReply } from './client-reply.ts'
import type { ProxyOptions } from './options.ts'
import { answerProblem, noAnswer } from './problem.ts'
import { clientGoneStatus, type AttemptOutcome, type ProxyReport } from './report.ts'
import type { RequestBody } from './request-body.ts'
import type { Upstream, UpstreamCall, UpstreamEvents } from './upstream.ts'
import type { Clock } from '../../ports/clock.ts'

/** How long the rest of an answer nobody wants may take before its connection is given up. */
const drainMsMax = 1_000

export interface ExchangeTools {
  readonly clock: Clock
  readonly options: ProxyOptions
  readonly report: ProxyReport
  readonly upstream: Upstream
}

/** A request that may be forwarded: checked, and with somebody to ask. */
export interface Accepted {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly pool: Pool
  /** In order of preference, at least one. */
  readonly candidates: readonly PoolMember[]
  readonly path: string
  /** Cleaned; the journey's counters come on top, attempt by attempt. */
  readonly headers: readonly string[]
  readonly journey: Journey
  readonly body: RequestBody
  readonly upgrade?: {
    readonly protocol: string
    /** The instance has switched: both ends are ours to connect. */
    readonly onSwitched: (member: PoolMember, headers: readonly string[], socket: Duplex) => void
  }
}

/** What one attempt is at. `dropped`: its answer no longer matters. */
interface Attempt {
  readonly member: PoolMember
  readonly begunAt: number
  call: UpstreamCall | undefined
  answered: boolean
  dropped: boolean
}

export function runExchange(tools: ExchangeTools, accepted: Accepted): void {
  const { clock, options, report, upstream } = tools
  const { request, response, pool, body } = accepted
  const method = request.method ?? 'GET'
  const reply = createClientReply(response, () => attempt?.call?.resume())
  const attempts: Attempts = createAttempts(
    accepted.candidates,
    { idempotent: isIdempotent(method, headerValue(request.rawHeaders, 'idempotency-key')), body: body.kind },
    options,
  )
  let attempt: Attempt | undefined
  let disarm = (): void => undefined
  let over = false

  function perform(action: AttemptAction): void {
    switch (action.kind) {
      case 'try':
        arm(action.deadline)
        begin(action.member)
        return
      case 'wait':
        arm(action.deadline)
        return
      case 'deliver':
        disarm()
        reply.commit()
        return
      case 'giveUp':
        giveUp(action.status)
        return
      default:
        unreachable(action)
    }
  }

  function arm(deadline: number | undefined): void {
    disarm()
    if (deadline !== undefined) disarm = clock.at(deadline, onOverdue)
  }

  function begin(member: PoolMember): void {
    const current: Attempt = { member, begunAt: clock.now(), call: undefined, answered: false, dropped: false }
    attempt = current
    const headers = accepted.headers.concat(journeyHeaders(accepted.journey, member.via))
    const bytes = body.kind === 'buffered' ? body.bytes : undefined
    const stream = body.kind === 'streamed' ? body.open(() => onUploaded(current)) : bytes
    const upgrade = accepted.upgrade?.protocol
    const call = upstream.call(
      { member, method, path: accepted.path, headers, body: stream, upgrade },
      eventsOf(current),
    )
    current.call = call
    if (over) call.abort()
  }

  function eventsOf(current: Attempt): UpstreamEvents {
    return {
      onHead: (status, headers) => onHead(current, status, headers),
      onData: chunk => current.dropped || reply.data(chunk),
      onEnd() {
        if (current.dropped) return
        reportAttempt(current, 'delivered')
        finish(() => reply.end())
      },
      onUpgraded(headers, socket) {
        reportAttempt(current, 'delivered')
        finish(() => accepted.upgrade?.onSwitched(current.member, headers, socket))
      },
      onFailed(failure, cause) {
        if (!current.dropped) onFailed(current, failure, cause)
      },
    }
  }

  function onHead(current: Attempt, status: number, headers: readonly string[]): void {
    if (current.dropped) return
    current.answered = true
    const action = attempts.step({ kind: 'answered', now: clock.now(), status })
    const sizeBytes = Number(headerValue(headers, 'content-length') ?? Number.NaN)
    const isSmall = sizeBytes <= options.holdBytesMax
    if (action.kind === 'try') {
      // A small answer nobody wants is read to its end, so that its connection can be used again.
      drop(current, 'status', isSmall)
      moveOn(action, 'status')
      return
    }
    reply.hold(status, responseHeadersToForward(headers, current.member.node))
    if (isSmall) return
    if (isEventStream(headers)) response.socket?.setTimeout(0)
    perform(action)
  }

  function onFailed(current: Attempt, failure: Failure, cause: Error): void {
    reportAttempt(current, failure, cause)
    if (reply.committed) {
      finish(() => reply.breakOff())
      return
    }
    const { answered } = current
    const bytesSent = current.call?.bytesSent ?? false
    current.dropped = true
    const action = attempts.step({ kind: 'failed', now: clock.now(), failure, answered, bytesSent })
    moveOn(action, failure)
  }

  function onUploaded(current: Attempt): void {
    if (!current.dropped && !current.answered) perform(attempts.step({ kind: 'uploaded', now: clock.now() }))
  }

  function onOverdue(): void {
    const current = attempt
    if (current === undefined) return
    const bytesSent = current.call?.bytesSent ?? false
    const action = attempts.step({ kind: 'overdue', now: clock.now(), answered: current.answered, bytesSent })
    if (action.kind !== 'deliver') drop(current, 'timedOut', false)
    moveOn(action, 'timedOut')
  }

  function moveOn(action: AttemptAction, reason: AttemptOutcome): void {
    if (action.kind === 'try') report.failedOver(reason)
    perform(action)
  }

  /** Turns away from an attempt that still runs. */
  function drop(current: Attempt, reason: AttemptOutcome, readOn: boolean): void {
    current.dropped = true
    reportAttempt(current, reason)
    if (readOn) clock.at(clock.now() + drainMsMax, () => current.call?.abort())
    else current.call?.abort()
  }

  function giveUp(status: 400 | 502 | 504): void {
    report.gaveUp(pool, status, attempts.tried)
    finish(() => answerProblem(response, noAnswer(status, pool, attempts.tried)))
  }

  function reportAttempt(current: Attempt, outcome: AttemptOutcome, cause?: Error): void {
    report.attempted({ pool, member: current.member, outcome, tookMs: clock.now() - current.begunAt, cause })
  }

  function finish(last: () => void): void {
    if (over) return
    over = true
    disarm()
    last()
    report.answered(pool, response.headersSent ? response.statusCode : 101)
    // What the client still sends has no reader any more; unread it would block the connection.
    if (body.kind !== 'none' && !request.readableEnded) request.resume()
  }

  response.once('close', () => {
    if (over) return
    over = true
    disarm()
    attempt?.call?.abort()
    report.answered(pool, response.headersSent ? response.statusCode : clientGoneStatus)
  })
  perform(attempts.step({ kind: 'started', now: clock.now() }))
}

function isEventStream(headers: readonly string[]): boolean {
  return headerValue(headers, 'content-type')?.toLowerCase().startsWith('text/event-stream') ?? false
}
