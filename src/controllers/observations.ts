/**
 * When our own engine showed each container as it is now: the first hop of a walk, kept until the change it leads to is
 * published and has a revision. A fact that says what the last one said is no new observation, however often it is listed.
 */
import type { ContainerFact } from '../core/health/index.ts'
import { instanceKey } from '../core/registry/index.ts'
import type { RecordKey } from '../core/registry/index.ts'
import type { Millis } from '../kernel/units.ts'

export interface Observation {
  readonly atMs: Millis
  readonly detail: string
}

export interface Observations {
  seen(fact: ContainerFact, atMs: Millis): void
  gone(id: string, atMs: Millis): void
  /** What led to the change that is published now; nothing when it was our own doing. */
  take(key: RecordKey): Observation | undefined
}

/** More containers than a node runs. */
const containersMax = 2_000

export function createObservations(): Observations {
  const latest = new Map<RecordKey, Observation & { readonly taken: boolean }>()

  function note(key: RecordKey, atMs: Millis, detail: string): void {
    if (latest.get(key)?.detail === detail) return
    latest.delete(key)
    latest.set(key, { atMs, detail, taken: false })
    const [oldest] = latest.keys()
    if (latest.size > containersMax && oldest !== undefined) latest.delete(oldest)
  }

  return {
    seen: (fact, atMs) => note(instanceKey(fact.id), atMs, inWords(fact)),
    gone: (id, atMs) => note(instanceKey(id), atMs, 'gone'),
    take(key) {
      const observation = latest.get(key)
      if (observation === undefined || observation.taken) return undefined
      const { atMs, detail } = observation
      if (detail === 'gone') latest.delete(key)
      else latest.set(key, { atMs, detail, taken: true })
      return { atMs, detail }
    },
  }
}

function inWords({ state, health, exitCode }: ContainerFact): string {
  if (state === 'running') return health === 'none' ? 'running' : `running, ${health}`
  return exitCode === undefined ? state : `${state} with ${exitCode}`
}
