/**
 * The life of one request as a pure machine: told how each attempt went, it says what to do next. It is asked only while
 * nothing has been given to the client, for what was begun cannot be taken back.
 * Invariants: at most `attemptsMax` attempts; nothing is sent twice that may not be; always one of the four answers.
 */
import { unreachable } from '../../kernel/invariant.ts'
import type { Millis } from '../../kernel/units.ts'
import type { PoolMember } from '../routing/index.ts'
import { maySendAgain, type Replay } from './idempotency.ts'
import { judgeFailure, judgeStatus, type Failure } from './outcome.ts'

export interface AttemptPolicy {
  readonly attemptsMax: number
  /** How long one attempt may keep the client waiting while somebody else could still be asked. */
  readonly tryTimeoutMs: Millis
  /** How long the client waits in all, the time its own upload takes not counted. */
  readonly timeoutMs: Millis
  readonly failOverStatuses: ReadonlySet<number>
}

export type AttemptInput =
  | { readonly kind: 'started'; readonly now: Millis }
  /** The whole request has left; matters when its body was streamed. */
  | { readonly kind: 'uploaded'; readonly now: Millis }
  | { readonly kind: 'answered'; readonly now: Millis; readonly status: number }
  /** The deadline of the last `try` or `wait` has passed. `answered`: the head is there and its body is held back. */
  | { readonly kind: 'overdue'; readonly now: Millis; readonly answered: boolean; readonly bytesSent: boolean }
  | {
      readonly kind: 'failed'
      readonly now: Millis
      readonly failure: Failure
      readonly answered: boolean
      readonly bytesSent: boolean
    }

export type AttemptAction =
  /** Abandon the last attempt, if any, and ask `member`. Without a deadline: wait for the upload first. */
  | { readonly kind: 'try'; readonly member: PoolMember; readonly deadline: Millis | undefined }
  /** Go on waiting for the same attempt, now with this deadline. */
  | { readonly kind: 'wait'; readonly deadline: Millis }
  /** Give the client what this attempt brought and brings. While it is held back, `failed` and `overdue` may follow. */
  | { readonly kind: 'deliver' }
  | { readonly kind: 'giveUp'; readonly status: 400 | 502 | 504 }

/** One attempt that came to nothing: what happened, or the status that made us turn away. */
export interface Tried {
  readonly member: PoolMember
  readonly what: Failure | number
}

export interface Attempts {
  step(input: AttemptInput): AttemptAction
  /** What was tried in vain so far, in order. */
  readonly tried: readonly Tried[]
}

/** `candidates` in order of preference, at least one. */
export function createAttempts(candidates: readonly PoolMember[], replay: Replay, policy: AttemptPolicy): Attempts {
  const waiting = [...candidates]
  const tried: Tried[] = []
  const secondChances = new Set<PoolMember>()
  let made = 0
  let end: Millis = 0
  let current: PoolMember | undefined

  const anotherCanBeAsked = (bytesSent: boolean): boolean =>
    made < policy.attemptsMax && waiting.length > 0 && maySendAgain(replay, bytesSent)

  function tryNext(now: Millis): AttemptAction {
    const member = waiting.shift()
    if (member === undefined) return { kind: 'giveUp', status: 502 }
    current = member
    made++
    return { kind: 'try', member, deadline: replay.body === 'streamed' ? undefined : deadlineFrom(now) }
  }

  /** An attempt is cut short only while that helps: the last one may use all the time there is. */
  function deadlineFrom(now: Millis): Millis {
    return anotherCanBeAsked(true) ? Math.min(now + policy.tryTimeoutMs, end) : end
  }

  function failed(now: Millis, failure: Failure, answered: boolean, bytesSent: boolean): AttemptAction {
    const member = current
    if (member !== undefined) {
      tried.push({ member, what: failure })
      // An idle connection the other side had just closed says nothing about the member: it may be asked once more.
      if (failure === 'connectionLost' && !answered && !secondChances.has(member)) {
        secondChances.add(member)
        waiting.push(member)
      }
    }
    if (judgeFailure(failure) === 'giveUp') return { kind: 'giveUp', status: 400 }
    if (now < end && anotherCanBeAsked(bytesSent)) return tryNext(now)
    return { kind: 'giveUp', status: failure === 'timedOut' || now >= end ? 504 : 502 }
  }

  return {
    tried,
    step(input) {
      switch (input.kind) {
        case 'started':
          end = input.now + policy.timeoutMs
          return tryNext(input.now)
        case 'uploaded':
          end = input.now + policy.timeoutMs
          return { kind: 'wait', deadline: deadlineFrom(input.now) }
        case 'answered': {
          const turnAway = judgeStatus(input.status, policy.failOverStatuses) === 'failOver'
          if (!turnAway || input.now >= end || !anotherCanBeAsked(true)) return { kind: 'deliver' }
          if (current !== undefined) tried.push({ member: current, what: input.status })
          return tryNext(input.now)
        }
        case 'overdue':
          // Half an answer and nobody else to ask: slow, not lost.
          if (input.answered && (input.now >= end || !anotherCanBeAsked(input.bytesSent))) return { kind: 'deliver' }
          return failed(input.now, 'timedOut', input.answered, input.bytesSent)
        case 'failed':
          return failed(input.now, input.failure, input.answered, input.bytesSent)
        default:
          return unreachable(input)
      }
    },
  }
}
