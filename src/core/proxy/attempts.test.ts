import { describe, expect, test } from 'vitest'
import { unreachable } from '../../kernel/invariant.ts'
import { nodeName } from '../../kernel/units.ts'
import { anInstanceView } from '../../testing/builders.ts'
import type { PoolMember } from '../routing/index.ts'
import { createAttempts, type AttemptAction, type AttemptPolicy, type Attempts } from './attempts.ts'
import type { Replay } from './idempotency.ts'
import { failOverStatusesDefault, type Failure } from './outcome.ts'

const policy: AttemptPolicy = {
  attemptsMax: 3,
  tryTimeoutMs: 5_000,
  timeoutMs: 30_000,
  failOverStatuses: failOverStatusesDefault,
}
const safe: Replay = { idempotent: true, body: 'none' }
const unsafe: Replay = { idempotent: false, body: 'buffered' }

function members(...names: string[]): readonly PoolMember[] {
  return names.map(name => ({
    instance: anInstanceView(),
    node: nodeName(name),
    local: false,
    via: 'instance',
    scheme: 'http',
    address: { ip: '127.0.0.1', port: 80 },
    traffic: 'yes',
    priority: 50,
  }))
}

function start(names: string, replay: Replay, over: Partial<AttemptPolicy> = {}) {
  const attempts = createAttempts(members(...names.split(' ')), replay, { ...policy, ...over })
  return { attempts, first: attempts.step({ kind: 'started', now: 0 }) }
}

function fail(
  attempts: Attempts,
  failure: Failure,
  over: { now?: number; answered?: boolean; bytesSent?: boolean } = {},
) {
  const bytesSent = failure !== 'connectFailed'
  return attempts.step({ kind: 'failed', now: 1, failure, answered: false, bytesSent, ...over })
}

/** `try b@5000`, `deliver`, `giveUp 502`. */
function told(action: AttemptAction): string {
  switch (action.kind) {
    case 'try':
      return `try ${action.member.node}@${action.deadline ?? 'never'}`
    case 'wait':
      return `wait @${action.deadline}`
    case 'deliver':
      return 'deliver'
    case 'giveUp':
      return `giveUp ${action.status}`
    default:
      return unreachable(action)
  }
}

test('a good answer of the first member is delivered', () => {
  const { attempts, first } = start('a b', safe)
  expect(told(first)).toBe('try a@5000')
  expect(told(attempts.step({ kind: 'answered', now: 10, status: 200 }))).toBe('deliver')
  expect(attempts.tried).toEqual([])
})

describe('a safe request', () => {
  test.each<Failure>(['connectFailed', 'timedOut', 'connectionLost', 'badResponse'])('goes on after %s', failure => {
    const { attempts } = start('a b', safe)
    expect(told(fail(attempts, failure))).toMatch(/^try b@/)
  })

  test.each([502, 503, 504])('turns away from a %i while somebody else can be asked', status => {
    const { attempts } = start('a b', safe)
    expect(told(attempts.step({ kind: 'answered', now: 1, status }))).toMatch(/^try b@/)
    expect(told(attempts.step({ kind: 'answered', now: 2, status }))).toBe('deliver')
  })

  test.each([200, 304, 401, 403, 404, 429, 500, 501])('takes a %i for an answer', status => {
    const { attempts } = start('a b', safe)
    expect(told(attempts.step({ kind: 'answered', now: 1, status }))).toBe('deliver')
  })

  test('makes no more attempts than allowed', () => {
    const { attempts } = start('a b c d', safe)
    fail(attempts, 'connectFailed')
    fail(attempts, 'connectFailed')
    expect(told(fail(attempts, 'connectFailed'))).toBe('giveUp 502')
    expect(attempts.tried.map(({ member, what }) => `${member.node} ${what}`)).toEqual([
      'a connectFailed',
      'b connectFailed',
      'c connectFailed',
    ])
  })

  test('asks a member once more whose connection broke before a byte came, after the others', () => {
    const { attempts } = start('a b', safe)
    expect(told(fail(attempts, 'connectionLost'))).toMatch(/^try b@/)
    expect(told(fail(attempts, 'connectFailed'))).toMatch(/^try a@/)
    expect(told(fail(attempts, 'connectionLost'))).toBe('giveUp 502')
  })

  test('has no second chance to give when the answer broke in the middle', () => {
    const { attempts } = start('a', safe)
    expect(told(fail(attempts, 'connectionLost', { answered: true }))).toBe('giveUp 502')
  })
})

describe('a request that must not be delivered twice', () => {
  test('goes on while not one byte has left', () => {
    const { attempts } = start('a b', unsafe)
    expect(told(fail(attempts, 'connectFailed'))).toMatch(/^try b@/)
  })

  test.each<Failure>(['timedOut', 'connectionLost', 'badResponse'])('ends with %s', failure => {
    const { attempts } = start('a b', unsafe)
    expect(told(fail(attempts, failure))).toBe(failure === 'timedOut' ? 'giveUp 504' : 'giveUp 502')
  })

  test('takes a 503 for an answer', () => {
    const { attempts } = start('a b', unsafe)
    expect(told(attempts.step({ kind: 'answered', now: 1, status: 503 }))).toBe('deliver')
  })

  test('waits as long as there is time, since nobody else may be asked', () => {
    expect(told(start('a b', unsafe).first)).toBe('try a@30000')
  })
})

describe('time', () => {
  test('the last member gets all that is left', () => {
    const { attempts } = start('a b', safe)
    const overdue = attempts.step({ kind: 'overdue', now: 5_000, answered: false, bytesSent: true })
    expect(told(overdue)).toBe('try b@30000')
    expect(told(attempts.step({ kind: 'overdue', now: 30_000, answered: false, bytesSent: true }))).toBe('giveUp 504')
  })

  test('nothing new is begun when time is up', () => {
    const { attempts } = start('a b', safe)
    expect(told(fail(attempts, 'connectFailed', { now: 30_000 }))).toBe('giveUp 504')
  })

  test('a slow body that is held back is abandoned for another member, and delivered when there is none', () => {
    const { attempts } = start('a b', safe)
    expect(told(attempts.step({ kind: 'overdue', now: 5_000, answered: true, bytesSent: true }))).toBe('try b@30000')
    expect(told(attempts.step({ kind: 'overdue', now: 30_000, answered: true, bytesSent: true }))).toBe('deliver')
  })

  test('an upload takes the time it takes, the clock runs from its end', () => {
    const { attempts, first } = start('a b', { idempotent: true, body: 'streamed' })
    expect(told(first)).toBe('try a@never')
    expect(told(attempts.step({ kind: 'uploaded', now: 100_000 }))).toBe('wait @130000')
    expect(told(attempts.step({ kind: 'overdue', now: 130_000, answered: false, bytesSent: true }))).toBe('giveUp 504')
  })

  test('an upload nobody accepted goes to the next member', () => {
    const { attempts } = start('a b', { idempotent: false, body: 'streamed' })
    expect(told(fail(attempts, 'connectFailed'))).toBe('try b@never')
  })
})

test('a request no upstream can be sent is the fault of the client', () => {
  const { attempts } = start('a b', safe)
  expect(told(fail(attempts, 'unsendable', { bytesSent: false }))).toBe('giveUp 400')
})
