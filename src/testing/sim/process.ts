/**
 * A process on a node: it runs, stands still (SIGSTOP: timers and sockets wait) or is gone (SIGKILL: nothing of it ever
 * runs again). All that reaches it goes through `enter`; its timers do so by themselves.
 */
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'

export interface SimProcess {
  readonly state: 'running' | 'paused' | 'gone'
  /** Its timers stand still with it. */
  readonly clock: Clock
  /** Now, after the pause, or never. */
  enter(action: () => void): void
  pause(): void
  resume(): void
  kill(): void
}

/** What a socket holds for a process that does not read; the rest is dropped, as a kernel does. */
const waitingMax = 2_000

export function createSimProcess(clock: Clock): SimProcess {
  let state: SimProcess['state'] = 'running'
  let timers: (() => void)[] = []
  let inputs: (() => void)[] = []

  function hold(queue: (() => void)[], action: () => void): void {
    if (state === 'running') action()
    else if (state === 'paused' && queue.length < waitingMax) queue.push(action)
  }

  return {
    get state() {
      return state
    },
    clock: {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      at(deadline: Millis, run: () => void) {
        let armed = true
        const disarm = clock.at(deadline, () => hold(timers, () => armed && run()))
        return () => {
          armed = false
          disarm()
        }
      },
    },
    enter: action => hold(inputs, action),
    pause() {
      if (state === 'running') state = 'paused'
    },
    /** Timers come before what waits in the sockets, as in Node's event loop. */
    resume() {
      if (state !== 'paused') return
      state = 'running'
      const held = [...timers, ...inputs]
      timers = []
      inputs = []
      for (const action of held) hold(inputs, action)
    },
    kill() {
      state = 'gone'
      timers = []
      inputs = []
    },
  }
}
