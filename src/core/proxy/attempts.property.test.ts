import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { anInstanceView } from '../../testing/builders.ts'
import type { PoolMember } from '../routing/index.ts'
import { createAttempts, type AttemptInput } from './attempts.ts'
import type { Replay } from './idempotency.ts'
import { failOverStatusesDefault } from './outcome.ts'

const member = (index: number): PoolMember => ({
  instance: anInstanceView(),
  node: nodeName(`node-${index}`),
  local: false,
  via: 'instance',
  scheme: 'http',
  address: { ip: '127.0.0.1', port: 80 },
  traffic: 'yes',
  priority: 50,
})

/** What may become of one attempt, without its time. */
const fates = fc.oneof(
  fc.record({ kind: fc.constant('answered' as const), status: fc.constantFrom(200, 404, 500, 502, 503, 504) }),
  fc.record({ kind: fc.constant('overdue' as const), answered: fc.boolean(), bytesSent: fc.constant(true) }),
  fc.record({
    kind: fc.constant('failed' as const),
    failure: fc.constantFrom('timedOut' as const, 'connectionLost' as const, 'badResponse' as const),
    answered: fc.boolean(),
    bytesSent: fc.constant(true),
  }),
  fc.record({
    kind: fc.constant('failed' as const),
    failure: fc.constant('connectFailed' as const),
    answered: fc.constant(false),
    bytesSent: fc.constant(false),
  }),
)

const requests = fc.record<Replay>({
  idempotent: fc.boolean(),
  body: fc.constantFrom('none', 'buffered', 'streamed'),
})

test('whatever happens: it ends, within the limits, and nothing is sent twice that may not be', () => {
  fc.assert(
    fc.property(
      requests,
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.tuple(fates, fc.nat(9_000)), { minLength: 10, maxLength: 10 }),
      (replay, candidateCount, story) => {
        const policy = {
          attemptsMax: 3,
          tryTimeoutMs: 5_000,
          timeoutMs: 30_000,
          failOverStatuses: failOverStatusesDefault,
        }
        const attempts = createAttempts(
          Array.from({ length: candidateCount }, (_, i) => member(i)),
          replay,
          policy,
        )
        let now = 0
        let tries = 0
        let deliveries = 0
        let action = attempts.step({ kind: 'started', now })
        for (const [fate, tookMs] of story) {
          if (action.kind !== 'try') break
          tries++
          expect(now).toBeLessThan(policy.timeoutMs)
          if (fate.kind !== 'failed' || fate.bytesSent) deliveries++
          now += tookMs
          const input: AttemptInput = { ...fate, now }
          action = attempts.step(input)
        }
        expect(action.kind).toMatch(/^(deliver|giveUp)$/)
        expect(tries).toBeLessThanOrEqual(policy.attemptsMax)
        if (!replay.idempotent || replay.body === 'streamed') expect(deliveries).toBeLessThanOrEqual(1)
      },
    ),
    { numRuns: 2_000 },
  )
})
