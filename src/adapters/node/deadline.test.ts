import { expect, test } from 'vitest'
import { VirtualClock, settle } from '../../testing/virtual-clock.ts'
import { withDeadline } from './deadline.ts'

function bounded(call: (signal: AbortSignal) => Promise<string>) {
  const clock = new VirtualClock()
  const caller = new AbortController()
  const options = { clock, timeoutMs: 1_000, signal: caller.signal, late: () => new Error('late') }
  const answer = withDeadline(options, call)
  answer.catch(() => undefined) // looked at later
  return { clock, caller, answer }
}

const never = (): Promise<string> => new Promise(() => undefined)

test('an answer in time is passed on and the timer is gone', async () => {
  const { clock, answer } = bounded(() => Promise.resolve('yes'))
  expect(await answer).toBe('yes')
  expect(clock.pendingTimers).toBe(0)
})

test('a failure in time is passed on', async () => {
  const { answer } = bounded(() => Promise.reject(new Error('no')))
  await expect(answer).rejects.toThrow('no')
})

test('a call that never settles is given up exactly at the deadline and told so', async () => {
  let given: AbortSignal | undefined
  const { clock, answer } = bounded(signal => {
    given = signal
    return never()
  })
  clock.advance(999)
  await settle()
  expect(given?.aborted).toBe(false)
  clock.advance(1)
  await expect(answer).rejects.toThrow('late')
  expect(given?.aborted).toBe(true)
})

test('the cancellation of the caller wins over the deadline', async () => {
  const { clock, caller, answer } = bounded(never)
  caller.abort(new Error('stopped'))
  await expect(answer).rejects.toThrow('stopped')
  expect(clock.pendingTimers).toBe(0)
})

test('nothing is called for a caller that has stopped already', async () => {
  let called = false
  const options = {
    clock: new VirtualClock(),
    timeoutMs: 1,
    signal: AbortSignal.abort(),
    late: () => new Error('late'),
  }
  const answer = withDeadline(options, () => {
    called = true
    return never()
  })
  await expect(answer).rejects.toThrow('aborted')
  expect(called).toBe(false)
})
