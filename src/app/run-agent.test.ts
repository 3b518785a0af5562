import { expect, test } from 'vitest'
import { ConstellationError } from '../kernel/errors.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { logStartFailure } from './run-agent.ts'

const taken = new ConstellationError('ADDRESS_IN_USE', 'the API cannot listen', { hint: 'choose another port' })

test('a failed start is one log line with its code and what to do', () => {
  const log = recordingLog()
  logStartFailure(taken, log, false)
  expect(log.lines).toMatchObject([
    {
      level: 'error',
      message: 'the agent could not start: the API cannot listen',
      fields: { code: 'ADDRESS_IN_USE', hint: 'choose another port' },
    },
  ])
})

test('on a terminal the text of the command line is enough', () => {
  const log = recordingLog()
  logStartFailure(taken, log, true)
  expect(log.lines).toEqual([])
})

test('an error without a code is logged without one', () => {
  const log = recordingLog()
  logStartFailure(new TypeError('x is undefined'), log, false)
  expect(log.lines).toMatchObject([{ message: 'the agent could not start: x is undefined', fields: {} }])
  expect(log.lines[0]?.fields).not.toHaveProperty('code')
})
