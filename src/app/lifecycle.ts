/**
 * Starts the parts of the agent in order and stops them in the reverse order. A part that fails to start stops those
 * before it; a part that hangs while stopping is left behind after its time, so that one bad socket cannot hold the
 * process. Invariant: every part that was started is stopped exactly once.
 */
import { ConstellationError } from '../kernel/errors.ts'
import type { Millis } from '../kernel/units.ts'
import { sleep, type Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

export interface Part {
  readonly name: string
  start(): void | Promise<void>
  stop(): void | Promise<void>
}

export interface Lifecycle {
  /** Rejects with the error of the part that failed; what had been started is stopped by then. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** `stopPartMs` is the longest one part may take to stop. */
export function lifecycle(parts: readonly Part[], clock: Clock, log: Log, stopPartMs: Millis = 5_000): Lifecycle {
  const started: Part[] = []

  async function stopPart(part: Part): Promise<void> {
    const late = new AbortController()
    const timeout = sleep(clock, stopPartMs, late.signal).then(() => {
      throw new ConstellationError('STOP_TIMEOUT', `${part.name} did not stop within ${stopPartMs} ms`)
    })
    try {
      await Promise.race([part.stop(), timeout])
    } catch (error) {
      log.warn(`stopping ${part.name} failed`, { error })
    } finally {
      late.abort()
      await timeout.catch(() => undefined)
    }
  }

  async function stop(): Promise<void> {
    for (let part = started.pop(); part !== undefined; part = started.pop()) await stopPart(part)
  }

  return {
    async start() {
      for (const part of parts) {
        try {
          await part.start()
          started.push(part)
        } catch (error) {
          // Whoever started us tells why; here it is only told where.
          log.debug(`starting ${part.name} failed`)
          await stop()
          throw error
        }
      }
    },
    stop,
  }
}
