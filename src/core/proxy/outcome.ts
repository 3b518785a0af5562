/** What one attempt came to, and what that means before asking whether the request may be sent again. */

/**
 * - connectFailed: nobody accepted the connection in time, or at all
 * - timedOut: connected, but the answer did not come (or, small and held back, did not end) in time
 * - connectionLost: closed or reset before the answer was complete
 * - badResponse: what came back was not HTTP
 * - unsendable: the request cannot be written to any upstream as it is
 */
export type Failure = 'connectFailed' | 'timedOut' | 'connectionLost' | 'badResponse' | 'unsendable'

export type Outcome = 'deliver' | 'failOver' | 'giveUp'

/** Bad gateway, service unavailable, gateway timeout: said by something in between or by an overloaded service. */
export const failOverStatusesDefault: ReadonlySet<number> = new Set([502, 503, 504])

export function judgeStatus(status: number, failOverStatuses: ReadonlySet<number>): Outcome {
  return failOverStatuses.has(status) ? 'failOver' : 'deliver'
}

export function judgeFailure(failure: Failure): Outcome {
  return failure === 'unsendable' ? 'giveUp' : 'failOver'
}
