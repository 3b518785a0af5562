/**
 * The in-memory twin of an engine: a test puts containers in, takes them out, lets the engine vanish and come back, and
 * every watcher hears it at once. Held to the parts of test/contract/container-engine.ts that need no real workload.
 * No clock and no I/O: nothing happens unless the test says so.
 */
import type { ContainerFact } from '../../core/health/index.ts'
import { ContainerGone, EngineUnavailable } from '../../ports/container-engine.ts'
import type { ContainerEngine, EngineEvent } from '../../ports/container-engine.ts'

export interface MemoryEngine extends ContainerEngine {
  /** Adds a container, or replaces the one with its id. */
  put(container: ContainerFact): void
  /** Changes parts of a container; throws RangeError when there is none with this id. */
  change(id: string, parts: Partial<Omit<ContainerFact, 'id'>>): void
  remove(id: string): void
  /** Says the whole truth again, as a real engine does every 10 s. */
  list(): void
  /** The engine is gone: watchers hear it once, `restart` fails, changes made now are heard at `connect`. */
  disconnect(reason: string): void
  connect(): void
  containers(): readonly ContainerFact[]
  /** Ids passed to `restart`, oldest first, successful or not. */
  readonly restarts: readonly string[]
}

export interface MemoryEngineOptions {
  readonly kind?: ContainerEngine['kind']
  readonly version?: string
  readonly containers?: readonly ContainerFact[]
  /** False: the engine is absent until `connect`. */
  readonly connected?: boolean
  /** What a restart makes of a container; as a real engine would, unless told otherwise. */
  readonly restarted?: (container: ContainerFact) => ContainerFact
}

export function createMemoryEngine(options: MemoryEngineOptions = {}): MemoryEngine {
  const { kind = 'docker', version = 'memory', restarted = restartedContainer } = options
  const containers = new Map((options.containers ?? []).map(container => [container.id, container]))
  const listeners = new Set<(event: EngineEvent) => void>()
  const restarts: string[] = []
  let outage = options.connected === false ? 'not connected yet' : undefined

  function tell(event: EngineEvent): void {
    for (const listener of listeners) listener(event)
  }

  function tellIfConnected(event: EngineEvent): void {
    if (outage === undefined) tell(event)
  }

  const listed = (): EngineEvent => ({ kind: 'listed', containers: [...containers.values()] })

  function put(container: ContainerFact): void {
    containers.set(container.id, container)
    tellIfConnected({ kind: 'changed', container })
  }

  return {
    kind,
    restarts,
    put,
    containers: () => [...containers.values()],
    list: () => tellIfConnected(listed()),

    change(id, parts) {
      const container = containers.get(id)
      if (container === undefined) throw new RangeError(`no container ${id} in the memory engine`)
      put({ ...container, ...parts })
    },

    remove(id) {
      if (containers.delete(id)) tellIfConnected({ kind: 'removed', id })
    },

    disconnect(reason) {
      if (outage !== undefined) return
      outage = reason
      tell({ kind: 'disconnected', reason })
    },

    connect() {
      if (outage === undefined) return
      outage = undefined
      tell({ kind: 'connected', version })
      tell(listed())
    },

    watch(listener, signal) {
      if (signal.aborted) return Promise.resolve()
      // One subscription, even when the same function watches twice.
      const subscription = (event: EngineEvent): void => listener(event)
      listeners.add(subscription)
      if (outage === undefined) {
        listener({ kind: 'connected', version })
        listener(listed())
      } else {
        listener({ kind: 'disconnected', reason: outage })
      }
      return new Promise(resolve => {
        const end = (): void => {
          listeners.delete(subscription)
          resolve()
        }
        if (signal.aborted) end()
        else signal.addEventListener('abort', end, { once: true })
      })
    },

    async restart(id, signal) {
      signal.throwIfAborted()
      restarts.push(id)
      if (outage !== undefined) throw new EngineUnavailable(`restart container ${id}: ${outage}`)
      const container = containers.get(id)
      if (container === undefined) throw new ContainerGone(`restart container ${id}: no such container`)
      put(restarted(container))
    },
  }
}

/** Running again, its check has not spoken yet, and started later than before. */
function restartedContainer(container: ContainerFact): ContainerFact {
  const { exitCode: _, ...rest } = container
  return {
    ...rest,
    state: 'running',
    health: container.health === 'none' ? 'none' : 'starting',
    failingStreak: 0,
    startedAtWallMs: (container.startedAtWallMs ?? 0) + 1,
  }
}
