import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { containerNamed, readEvents } from './events.ts'

const unhealthy = JSON.stringify({
  status: 'health_status: unhealthy',
  id: 'aaa',
  Type: 'container',
  Action: 'health_status: unhealthy',
  Actor: { ID: 'aaa', Attributes: { image: 'web:1', name: 'web' } },
})

function reading() {
  const stream = new PassThrough()
  const ids: string[] = []
  const ended = readEvents(stream, id => ids.push(id))
  return { stream, ids, ended }
}

test.each([
  { line: unhealthy, named: 'aaa', why: 'its health changed' },
  { line: '{"Type":"container","Action":"start","Actor":{"ID":"bbb"}}', named: 'bbb', why: 'without the old fields' },
  {
    line: '{"Type":"network","Action":"connect","Actor":{"ID":"net","Attributes":{"container":"ccc"}}}',
    named: 'ccc',
    why: 'it got another address',
  },
  { line: '{"Type":"container","Action":"exec_die","Actor":{"ID":"bbb"}}', named: '', why: 'a check ran' },
  { line: '{"Type":"network","Action":"create","Actor":{"ID":"net"}}', named: '', why: 'no container is meant' },
  { line: '{"Type":"container","Action":"start"}', named: '', why: 'no container is named' },
  { line: '', named: '', why: 'a blank line' },
  { line: '<html>502</html>', named: undefined, why: 'no JSON' },
  { line: '{"Type":"container","Act', named: undefined, why: 'cut' },
  { line: '7', named: undefined, why: 'no object' },
])('$line names $named: $why', ({ line, named }) => {
  expect(containerNamed(line)).toBe(named)
})

test('events are told apart by line wherever the chunks are cut, letters of several bytes included', async () => {
  const { stream, ids, ended } = reading()
  const named = (id: string): string => `{"Type":"container","Action":"start","Actor":{"ID":"${id}"}}\n`
  for (const byte of Buffer.from(named('ä-one') + named('two'))) stream.write(Buffer.of(byte))
  stream.end()
  expect(await ended).toBe('closed by the engine')
  expect(ids).toEqual(['ä-one', 'two'])
})

test('a stream cut in the middle of an event ends with what came before', async () => {
  const { stream, ids, ended } = reading()
  stream.end(`${unhealthy}\n${unhealthy.slice(0, 40)}`)
  expect(await ended).toBe('cut in the middle of an event')
  expect(ids).toEqual(['aaa'])
})

test('garbage ends the stream, and nothing after it is believed', async () => {
  const { stream, ids, ended } = reading()
  stream.write(`${unhealthy}\nHTTP/1.1 502 Bad Gateway\n${unhealthy}\n`)
  expect(await ended).toContain('502 Bad Gateway')
  expect(stream.destroyed).toBe(true)
  expect(ids).toEqual(['aaa'])
})

test('a line without end does not fill the memory', async () => {
  const { stream, ended } = reading()
  const piece = 'x'.repeat(300_000)
  for (let i = 0; i < 4; i++) stream.write(piece)
  expect(await ended).toBe('a line too long for an event')
})

test('an error of the stream is its reason', async () => {
  const { stream, ended } = reading()
  stream.destroy(new Error('read ECONNRESET'))
  expect(await ended).toBe('read ECONNRESET')
})
