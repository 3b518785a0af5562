import { expect, test } from 'vitest'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { watchForSilence } from './silence.ts'

function watching() {
  const clock = new VirtualClock()
  let silences = 0
  const watch = watchForSilence(clock, () => silences++)
  return { clock, watch, silences: () => silences }
}

test('half a minute without a word is silence, told once', () => {
  const { clock, watch, silences } = watching()
  watch.start()
  clock.advance(29_999)
  expect(silences()).toBe(0)
  clock.advance(1)
  expect(silences()).toBe(1)
  clock.advance(600_000)
  expect(silences()).toBe(1)
})

test('who says something now and then is not silent', () => {
  const { clock, watch, silences } = watching()
  watch.start()
  for (let word = 0; word < 10; word++) {
    clock.advance(19_000)
    watch.heard()
  }
  expect(silences()).toBe(0)
})

test('nobody watches before the start and after the stop', () => {
  const { clock, watch, silences } = watching()
  clock.advance(60_000)
  watch.start()
  clock.advance(20_000)
  watch.stop()
  clock.advance(60_000)
  expect(silences()).toBe(0)
  expect(clock.pendingTimers).toBe(0)
})
