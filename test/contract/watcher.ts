/** Watches an engine the way the agent does: keeps every event, and folds them into what is known now. */
import type { ContainerFact } from '../../src/core/health/index.ts'
import type { ContainerEngine, EngineEvent } from '../../src/ports/container-engine.ts'
import { untilTrue } from '../integration/watching.ts'

export interface Watcher {
  readonly events: readonly EngineEvent[]
  /** By the container's name; what was said last. */
  find(name: string): ContainerFact | undefined
  until(what: string, holds: () => boolean, limitMs?: number): Promise<void>
  /** Resolves when `watch` has. */
  stop(): Promise<void>
}

export function watchEngine(engine: ContainerEngine): Watcher {
  const events: EngineEvent[] = []
  const known = new Map<string, ContainerFact>()
  const stopping = new AbortController()
  const watched = engine.watch(event => {
    events.push(event)
    if (event.kind === 'listed') {
      known.clear()
      for (const container of event.containers) known.set(container.id, container)
    }
    if (event.kind === 'changed') known.set(event.container.id, event.container)
    if (event.kind === 'removed') known.delete(event.id)
  }, stopping.signal)
  return {
    events,
    find: name => [...known.values()].find(container => container.name === name),
    until: (what, holds, limitMs = 15_000) => untilTrue(what, limitMs, holds),
    async stop() {
      stopping.abort()
      await watched
    },
  }
}
