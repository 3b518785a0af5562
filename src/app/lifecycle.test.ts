import { expect, test } from 'vitest'
import { recordingLog } from '../testing/recording-log.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { lifecycle, type Part } from './lifecycle.ts'

function aPart(name: string, history: string[], over: Partial<Part> = {}): Part {
  return {
    name,
    start: () => void history.push(`start ${name}`),
    stop: () => void history.push(`stop ${name}`),
    ...over,
  }
}

test('parts stop in the reverse order of their start, once', async () => {
  const history: string[] = []
  const parts = ['sockets', 'engine', 'api'].map(name => aPart(name, history))
  const life = lifecycle(parts, new VirtualClock(), recordingLog())
  await life.start()
  await life.stop()
  await life.stop()
  expect(history).toEqual(['start sockets', 'start engine', 'start api', 'stop api', 'stop engine', 'stop sockets'])
})

test('a part that fails to start stops those before it and is not stopped itself', async () => {
  const history: string[] = []
  const broken = aPart('engine', history, { start: () => Promise.reject(new Error('no socket')) })
  const life = lifecycle([aPart('sockets', history), broken, aPart('api', history)], new VirtualClock(), recordingLog())
  await expect(life.start()).rejects.toThrow('no socket')
  expect(history).toEqual(['start sockets', 'stop sockets'])
})

test('a part that hangs while stopping is left behind and named', async () => {
  const history: string[] = []
  const clock = new VirtualClock()
  const log = recordingLog()
  const hanging = aPart('api', history, { stop: () => new Promise(() => undefined) })
  const life = lifecycle([aPart('sockets', history), hanging], clock, log)
  await life.start()
  const stopping = life.stop()
  await clock.advanceAsync(5_000, 1_000)
  await stopping
  expect(history).toEqual(['start sockets', 'start api', 'stop sockets'])
  expect(log.lines.map(line => line.message)).toContain('stopping api failed')
})

test('a part that throws while stopping does not keep the others running', async () => {
  const history: string[] = []
  const life = lifecycle(
    [aPart('sockets', history), aPart('api', history, { stop: () => Promise.reject(new Error('busy')) })],
    new VirtualClock(),
    recordingLog(),
  )
  await life.start()
  await life.stop()
  expect(history).toEqual(['start sockets', 'start api', 'stop sockets'])
})
