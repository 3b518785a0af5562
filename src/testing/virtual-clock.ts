/** Time that moves only when a test says so. Timers fire in order of their deadline, ties in order of arming. */
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'

interface Timer {
  readonly deadline: Millis
  readonly sequence: number
  readonly run: () => void
}

export class VirtualClock implements Clock {
  #now: Millis
  #sequence = 0
  #timers: Timer[] = []
  readonly #wallOffset: Millis

  constructor(start: Millis = 0, wallStart: Millis = 1_700_000_000_000) {
    this.#now = start
    this.#wallOffset = wallStart - start
  }

  now(): Millis {
    return this.#now
  }

  wallNow(): Millis {
    return this.#now + this.#wallOffset
  }

  at(deadline: Millis, run: () => void): () => void {
    const timer: Timer = { deadline, sequence: this.#sequence++, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  /** Moves on by `byMs`, firing everything that falls due on the way at its own moment. */
  advance(byMs: Millis): void {
    const end = this.#now + byMs
    for (let next = this.#earliest(end); next !== undefined; next = this.#earliest(end)) {
      const due = next
      this.#timers = this.#timers.filter(other => other !== due)
      this.#now = Math.max(this.#now, due.deadline)
      due.run()
    }
    this.#now = end
  }

  /** `advance` in slices, letting promises settle in between; for code that awaits. */
  async advanceAsync(byMs: Millis, sliceMs: Millis = 10): Promise<void> {
    const end = this.#now + byMs
    while (this.#now < end) {
      await settle()
      this.advance(Math.min(sliceMs, end - this.#now))
    }
    await settle()
  }

  get pendingTimers(): number {
    return this.#timers.length
  }

  #earliest(end: Millis): Timer | undefined {
    let best: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.deadline > end) continue
      const earlier = best === undefined || timer.deadline < best.deadline
      const tie = best !== undefined && timer.deadline === best.deadline && timer.sequence < best.sequence
      if (earlier || tie) best = timer
    }
    return best
  }
}

/** Lets every promise that is ready run; not a delay. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
