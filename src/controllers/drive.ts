/**
 * Runs one pure machine in the real world: inputs strictly in turn, one timer for its next deadline, every output handed
 * to `perform`. `perform` must not throw; an output that feeds an input back waits its turn.
 */
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'

/** A machine that owns its state. `nextDeadline` says when to `tick`; undefined: only an input can wake it. */
export interface Machine<I, O> {
  step(input: I): readonly O[]
  nextDeadline(): Millis | undefined
}

export interface Tick {
  readonly kind: 'tick'
  readonly now: Millis
}

export interface Driver<I> {
  feed(input: I): void
  stop(): void
}

export function drive<I, O>(machine: Machine<I | Tick, O>, clock: Clock, perform: (output: O) => void): Driver<I> {
  const inbox: (I | Tick)[] = []
  let disarm = (): void => undefined
  let armedFor: Millis | undefined
  let busy = false
  let stopped = false

  function arm(): void {
    const deadline = machine.nextDeadline()
    if (deadline === armedFor) return
    disarm()
    armedFor = deadline
    disarm = deadline === undefined ? () => undefined : clock.at(deadline, onDeadline)
  }

  function onDeadline(): void {
    armedFor = undefined
    feed({ kind: 'tick', now: clock.now() })
  }

  function feed(input: I | Tick): void {
    if (stopped) return
    inbox.push(input)
    if (busy) return
    busy = true
    try {
      for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
        for (const output of machine.step(next)) perform(output)
      }
    } finally {
      busy = false
    }
    if (!stopped) arm()
  }

  return {
    feed,
    stop() {
      stopped = true
      disarm()
    },
  }
}
