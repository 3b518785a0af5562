/**
 * What is known of the engine's containers. It outlives a connection: during an outage what was known stays known. Every fact
 * comes from inspecting; events and listings only say what to inspect, so none of them can be believed wrongly.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ContainerFact } from '../../core/health/index.ts'
import type { EngineEvent } from '../../ports/container-engine.ts'
import { EngineUnavailable } from '../../ports/container-engine.ts'
import type { Log } from '../../ports/log.ts'
import type { DockerClient } from './client.ts'
import { containerFact } from './container-fact.ts'
import { createRefresher } from './refresher.ts'
import { summaryOf } from './summary.ts'

export interface Inventory {
  containers(): readonly ContainerFact[]
  /** Looks through one connection. Nothing is reported before its first listing is complete, or after `signal`. */
  survey(client: DockerClient, signal: AbortSignal): Survey
}

export interface Survey {
  /** An event named this container. */
  onEvent(id: string): void
  /**
   * Lists, and inspects what may have changed. Answers whether a change was found that no event had told of.
   * Rejects with EngineUnavailable when there is no list, or nothing could be inspected for the first one.
   */
  list(): Promise<{ readonly missedEvents: boolean }>
}

/** Beyond this many at once an engine only queues them. */
const inspectionsAtOnce = 8

export function createInventory(report: (event: EngineEvent) => void, log: Log): Inventory {
  const known = new Map<string, ContainerFact>()

  function survey(client: DockerClient, signal: AbortSignal): Survey {
    /** Fingerprint of the row for which a container was last inspected. */
    const inspectedFor = new Map<string, string>()
    const refresher = createRefresher(inspectionsAtOnce, look)
    /** Containers events named since the last look at them began. */
    const named = new Set<string>()
    let isListed = false
    let missedEvents = false

    async function look(id: string): Promise<void> {
      const isAnnounced = named.delete(id)
      const before = known.get(id)
      const inspected = await client.inspect(id, signal)
      if (signal.aborted) return
      const fact = containerFact(inspected)
      if (inspected !== undefined && fact === undefined) {
        throw new EngineUnavailable(`docker inspect ${id}: the answer names no container`)
      }
      if (fact === undefined || fact.state === 'removing') forget(id)
      else learn(fact)
      if (!isAnnounced && !named.has(id) && isEventful(before, known.get(id))) missedEvents = true
    }

    function learn(fact: ContainerFact): void {
      const isNews = !isDeepStrictEqual(known.get(fact.id), fact)
      known.set(fact.id, fact)
      if (isListed && isNews) report({ kind: 'changed', container: fact })
    }

    function forget(id: string): void {
      inspectedFor.delete(id)
      if (known.delete(id) && isListed) report({ kind: 'removed', id })
    }

    async function inspectFor(id: string, fingerprint: string | undefined): Promise<void> {
      await refresher.refresh(id)
      if (fingerprint !== undefined && known.has(id)) inspectedFor.set(id, fingerprint)
    }

    async function list(): Promise<{ missedEvents: boolean }> {
      missedEvents = false
      const rows = (await client.list(signal)).flatMap(row => summaryOf(row) ?? [])
      const listed = new Map(rows.map(row => [row.id, row]))
      const suspects = [
        ...rows.filter(row => !row.isSettled || inspectedFor.get(row.id) !== row.fingerprint).map(row => row.id),
        // Not in the list: gone, or made after it was written. Inspecting tells.
        ...[...known.keys()].filter(id => !listed.has(id)),
      ]
      const looks = await Promise.allSettled(suspects.map(id => inspectFor(id, listed.get(id)?.fingerprint)))
      signal.throwIfAborted()
      complain(looks)
      const isFirst = !isListed
      isListed = true
      return { missedEvents: missedEvents && !isFirst }
    }

    /** One container an engine chokes on must not hide the others; an engine that tells nothing at all is no engine. */
    function complain(looks: readonly PromiseSettledResult<void>[]): void {
      const failed = looks.filter(look => look.status === 'rejected')
      const [first] = failed
      if (first === undefined) return
      if (!isListed && failed.length === looks.length) throw first.reason
      log.warn('containers could not be inspected', { count: failed.length, error: first.reason })
    }

    return {
      list,
      onEvent(id) {
        named.add(id)
        refresher.refresh(id).catch((error: unknown) => {
          // The next listing tries again.
          if (!signal.aborted) log.warn('container could not be inspected', { container: id, error })
        })
      },
    }
  }

  return { containers: () => [...known.values()], survey }
}

/** Whether going from one to the other is something Docker sends an event for. */
function isEventful(before: ContainerFact | undefined, after: ContainerFact | undefined): boolean {
  return (
    before?.state !== after?.state ||
    before?.health !== after?.health ||
    before?.startedAtWallMs !== after?.startedAtWallMs
  )
}
