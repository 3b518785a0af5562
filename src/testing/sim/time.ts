/**
 * Virtual time for simulations: a clock whose timers live in a heap, so that thousands of them stay cheap. Events run in
 * order of their time, ties in order of arming; nothing here is random, so a run repeats exactly.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'

export interface SimTime extends Clock {
  /** How many events have run. */
  readonly events: number
  /** Runs everything that falls due within the next `byMs`, each at its own moment. */
  run(byMs: Millis): void
  /** Runs until the condition holds, looking every ten milliseconds; false when `withinMs` passed without it. */
  runUntil(condition: () => boolean, withinMs: Millis): boolean
}

/** How often `runUntil` looks. */
const lookMs = 10

interface Timer {
  readonly at: Millis
  readonly sequence: number
  /** Undefined once disarmed; the heap forgets it when its time comes. */
  action: (() => void) | undefined
}

export function createSimTime(wallStart: Millis = 1_700_000_000_000): SimTime {
  const heap: Timer[] = []
  let now = 0
  let sequence = 0
  let events = 0

  function step(end: Millis): boolean {
    const next = heap[0]
    if (next === undefined || next.at > end) return false
    pop(heap)
    now = Math.max(now, next.at)
    if (next.action !== undefined) events++
    next.action?.()
    return true
  }

  function run(byMs: Millis): void {
    const end = now + byMs
    while (step(end));
    now = end
  }

  return {
    get events() {
      return events
    },
    now: () => now,
    wallNow: () => wallStart + now,
    at(deadline, action) {
      const timer: Timer = { at: deadline, sequence: sequence++, action }
      push(heap, timer)
      return () => {
        timer.action = undefined
      }
    },
    run,
    runUntil(condition, withinMs) {
      const end = now + withinMs
      while (!condition()) {
        if (now >= end) return false
        run(Math.min(lookMs, end - now))
      }
      return true
    },
  }
}

function isEarlier(a: Timer, b: Timer): boolean {
  return a.at !== b.at ? a.at < b.at : a.sequence < b.sequence
}

function push(heap: Timer[], timer: Timer): void {
  let place = heap.length
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || !isEarlier(timer, parent)) break
    heap[place] = parent
    place = above
  }
  heap[place] = timer
}

/** Takes the earliest off. */
function pop(heap: Timer[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let place = 0
  for (;;) {
    const left = 2 * place + 1
    const right = left + 1
    const [first, second] = [heap[left], heap[right]]
    if (first === undefined) break
    const [child, index] = second !== undefined && isEarlier(second, first) ? [second, right] : [first, left]
    if (!isEarlier(child, last)) break
    heap[place] = child
    place = index
  }
  heap[place] = last
}
