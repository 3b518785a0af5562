/**
 * A Docker engine behind the port: subscribe, list, follow the events, list again every 10 s, reconnect for ever.
 * Reads only; the single call that touches a container is `restart`.
 * Invariant: whatever happens to the stream, a change is reported at the latest by the listing that follows it.
 */
import type { ConstellationError } from '../../kernel/errors.ts'
import { describeError } from '../../kernel/errors.ts'
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { sleep } from '../../ports/clock.ts'
import type { ContainerEngine, EngineEvent } from '../../ports/container-engine.ts'
import type { Log } from '../../ports/log.ts'
import { connectDocker } from './client.ts'
import type { DockerAddress, DockerClient } from './client.ts'
import { eventFilters, readEvents } from './events.ts'
import { createInventory } from './inventory.ts'

export type DockerEngineOptions = DockerAddress & {
  readonly clock: Clock
  readonly log: Log
}

const listIntervalMs = 10_000
const backoffMsMin = 500
const backoffMsMax = 10_000
/** A connection that lasted this long was a good one: the next is tried at once. */
const steadyMs = 10_000

export function createDockerEngine(options: DockerEngineOptions): ContainerEngine {
  const { clock } = options
  const log = options.log.child({ engine: 'docker' })

  async function watch(listener: (event: EngineEvent) => void, signal: AbortSignal): Promise<void> {
    const report = (event: EngineEvent): void => {
      if (!signal.aborted) listener(event)
    }
    const inventory = createInventory(report, log)
    const line = reportedLine(report, log)

    /** One connection from ping to end. Answers why it ended; rejects when the engine did not answer. */
    async function follow(client: DockerClient, over: AbortController): Promise<string> {
      const survey = inventory.survey(client, over.signal)
      // Asking from the second of the ping on closes the gap between the engine's acceptance and its subscribing us.
      const since = client.engineSeconds === undefined ? {} : { sinceSeconds: client.engineSeconds }
      const stream = await client.events({ ...since, filters: eventFilters }, over.signal)
      over.signal.addEventListener('abort', () => stream.destroy(), { once: true })
      const ended = readEvents(stream, id => survey.onEvent(id)).then(why => {
        over.abort(new Error(`event stream: ${why}`))
        return why
      })
      await survey.list()
      line.up(client.engineVersion)
      for (;;) {
        report({ kind: 'listed', containers: inventory.containers() })
        try {
          await sleep(clock, listIntervalMs, over.signal)
          const { missedEvents } = await survey.list()
          if (missedEvents) return 'it is open but missed an event'
        } catch (error) {
          // A stream that was cut says nothing about the engine yet; the next ping will.
          if (over.signal.aborted) return ended
          throw error
        }
      }
    }

    async function session(): Promise<void> {
      const over = new AbortController()
      const onAbort = (): void => over.abort(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        const client = await connectDocker(options, clock, over.signal)
        const why = await follow(client, over)
        if (!signal.aborted) log.info('event stream ended', { reason: why })
      } catch (error) {
        if (!signal.aborted) line.down(error)
      } finally {
        signal.removeEventListener('abort', onAbort)
        over.abort(new Error('session over'))
      }
    }

    for (let failures = 0; !signal.aborted;) {
      const began = clock.now()
      await session()
      failures = clock.now() - began >= steadyMs ? 0 : failures + 1
      if (failures > 0) await sleep(clock, backoffMs(failures), signal).catch(() => undefined)
    }
  }

  return {
    kind: 'docker',
    watch,
    async restart(id, signal) {
      const client = await connectDocker(options, clock, signal)
      await client.restart(id, signal)
    },
  }
}

function backoffMs(failures: number): Millis {
  return Math.min(backoffMsMin * 2 ** (failures - 1), backoffMsMax)
}

/** Tells of the line to the engine when it changes, and only then. */
function reportedLine(report: (event: EngineEvent) => void, log: Log) {
  let state: 'unknown' | 'down' | { readonly version: string } = 'unknown'
  return {
    up(version: string): void {
      if (typeof state === 'object' && state.version === version) return
      state = { version }
      log.info('engine connected', { version })
      report({ kind: 'connected', version })
    },
    down(error: unknown): void {
      if (state === 'down') return
      state = 'down'
      const reason = describeError(error)
      log.warn('engine unavailable', { error, hint: (error as Partial<ConstellationError>).hint })
      report({ kind: 'disconnected', reason })
    },
  }
}
