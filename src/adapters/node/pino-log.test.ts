import { expect, test } from 'vitest'
import { ConstellationError } from '../../kernel/errors.ts'
import { pinoLog, steadyLines, type PinoLogOptions } from './pino-log.ts'

function recording(over: Partial<PinoLogOptions> = {}) {
  const written: string[] = []
  const log = pinoLog({ level: 'info', destination: { write: line => void written.push(line) }, ...over })
  return {
    log,
    written,
    first: (): Record<string, unknown> => JSON.parse(written[0] ?? '{}') as Record<string, unknown>,
  }
}

test('a line is JSON with level, time, message and the fields of every parent', () => {
  const { log, first } = recording()
  log.child({ node: 'a' }).child({ key: 'web@a#8' }).warn('dropped', { reason: 'unhealthy' })
  expect(first()).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    node: 'a',
    key: 'web@a#8',
    reason: 'unhealthy',
    msg: 'dropped',
  })
})

test('lines below the level are not written', () => {
  const { log, written } = recording({ level: 'warn' })
  log.debug('a')
  log.info('b')
  log.error('c')
  expect(written).toHaveLength(1)
})

test('secrets are cut out wherever they hide', () => {
  const { log, written } = recording()
  log.info('asked', {
    token: 'hunter2',
    headers: { authorization: 'hunter2' },
    redis: { auth: { password: 'hunter2' } },
  })
  log.child({ password: 'hunter2' }).info('child')
  expect(written.join()).not.toContain('hunter2')
  expect(written.join().match(/\[redacted\]/g)).toHaveLength(4)
})

test('an error tells its chain of causes, its code and its hint', () => {
  const { log, first } = recording()
  const cause = new Error('connect ECONNREFUSED')
  log.error('engine lost', {
    error: new ConstellationError('ENGINE_UNAVAILABLE', 'list containers', { cause, hint: 'is Docker running?' }),
  })
  expect(first()['error']).toEqual({
    name: 'ConstellationError',
    code: 'ENGINE_UNAVAILABLE',
    message: 'list containers: connect ECONNREFUSED',
    hint: 'is Docker running?',
  })
})

test('an error of our own making brings its stack', () => {
  const { log, first } = recording()
  log.error('broken', { error: new TypeError('x is not a function') })
  expect(first()['error']).toMatchObject({
    message: 'x is not a function',
    stack: expect.stringContaining('pino-log.test'),
  })
})

test.each(['text', 42, undefined, null])('whatever was thrown (%j) can be logged', thrown => {
  const { log, written } = recording()
  log.error('odd', { error: thrown })
  expect(written).toHaveLength(1)
})

test('on a terminal a line is for people, unless the configuration says otherwise', () => {
  const people = recording({ isTerminal: true })
  people.log.info('hello', { node: 'a' })
  expect(people.written.join('')).toMatch(/INFO.*hello/)
  const programs = recording({ isTerminal: true, pretty: false })
  programs.log.info('hello')
  expect(programs.first()['msg']).toBe('hello')
})

test('a full disk loses lines, not the agent', () => {
  const log = pinoLog({ level: 'info', destination: steadyLines('/dev/full') })
  expect(() => {
    for (let line = 0; line < 3; line++) log.info('there is no room for this')
  }).not.toThrow()
})
