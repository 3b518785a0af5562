/**
 * The health machine: what the engine says goes in; what the cluster is told, and which container is restarted, comes
 * out. Must not touch an engine, a clock or the registry. Invariants: facts older than the engine's last list restart
 * nothing; a lost engine changes nothing that was told (the containers most likely run on); every container told is
 * either known here or told to be removed.
 */
import { unreachable } from '../../kernel/invariant.ts'
import type { Millis } from '../../kernel/units.ts'
import { readLabels } from '../labels/index.ts'
import { instanceKey } from '../registry/index.ts'
import type { InstanceState } from '../registry/index.ts'
import type { ContainerFact } from './container-fact.ts'
import { restartRound } from './restart-round.ts'
import { afterEnding, afterStarting, isRestarter, restartsMax } from './restart.ts'
import type { RestartHistory } from './restart.ts'
import { afterFact, deadlineOf, earliest, tell } from './tracked.ts'
import type { Tracked } from './tracked.ts'
import type { Change, Health, HealthOptions, Input, Output, RestartOutcome } from './types.ts'

/**
 * An engine that had at least this many containers and now lists none is asked twice. Containers that are removed are
 * reported one by one, so a sudden nothing is most often an engine that has not loaded its state yet, and believing it
 * would take every route of the node away. The second empty list, 10 s later, is believed.
 */
export const doubtEmptyListFrom = 3

export function createHealth(options: HealthOptions): Health {
  const known = new Map<string, Tracked>()
  let complete = false
  /** The engine was listed since it was last connected: what we know is fresh enough to restart by. */
  let fresh = false
  let doubting = false
  let standingDown = false
  let restartsDueAt: Millis | undefined
  let namelessReported = false
  let now: Millis = 0
  /** Wall clock minus monotonic clock, as of the last input that told. */
  let wallOffsetMs: Millis = 0
  let outputs: Output[] = []
  let changes: Change[] = []

  function report(level: 'info' | 'warn', message: string, fields: Record<string, string | number> = {}): void {
    outputs.push({ kind: 'report', level, message, fields })
  }

  function see(fact: ContainerFact): void {
    if (fact.id === '') {
      if (!namelessReported)
        report('warn', 'the engine reports a container without an id; ignored', { name: fact.name })
      namelessReported = true
      return
    }
    const labels = readLabels({ ...fact, name: fact.name === '' ? fact.id : fact.name }, options)
    update(fact.id, afterFact(known.get(fact.id), fact, labels, now))
  }

  /** Stores and tells, if there is something to tell. */
  function update(id: string, tracked: Tracked): void {
    const was = tracked.told?.instance
    const telling = tell(tracked, now, now + wallOffsetMs)
    known.set(id, telling.tracked)
    if (telling.instance === undefined) return
    const body = { kind: 'instance', instance: telling.instance } as const
    changes.push({ key: instanceKey(id), body, ...(was === undefined ? {} : { was }) })
  }

  function forget(id: string): void {
    const was = known.get(id)?.told?.instance
    if (!known.delete(id) || was === undefined) return
    changes.push({ key: instanceKey(id), body: { kind: 'removed' }, was })
  }

  function list(containers: readonly ContainerFact[]): void {
    if (containers.length === 0 && known.size >= doubtEmptyListFrom && !doubting) {
      doubting = true
      report('warn', 'the engine lists no container at all; asking once more before believing it', {
        known: known.size,
      })
      return
    }
    doubting = false
    fresh = true
    const listed = new Map(containers.map(container => [container.id, container])) // an id said twice: the last counts
    for (const id of known.keys()) if (!listed.has(id)) forget(id)
    for (const container of listed.values()) see(container)
  }

  /** Holds that ended and changes whose turn has come; `tell` finds out which of the candidates really changed. */
  function wake(): void {
    for (const [id, tracked] of known)
      if (tracked.tellAt !== undefined || tracked.flaps.hold !== undefined) update(id, tracked)
  }

  function standDownOrUp(): void {
    const restarter = [...known.values()].find(({ fact }) => fact.state === 'running' && isRestarter(fact.image))
    if ((restarter !== undefined) === standingDown) return
    standingDown = restarter !== undefined
    if (restarter === undefined) report('info', 'no other restarter runs any more; labelled restarts are ours again')
    else
      report('info', 'another restarter runs here; leaving labelled restarts to it', { container: restarter.fact.name })
  }

  function restart(): void {
    standDownOrUp()
    restartsDueAt = undefined
    if (!fresh || standingDown) return
    const round = restartRound(known, now)
    restartsDueAt = round.wakeAt
    for (const id of round.giveUp) giveUp(id)
    for (const id of round.start) startRestart(id)
  }

  function giveUp(id: string): void {
    changeRestarts(id, history => ({ ...history, givenUp: true }))
    const service = known.get(id)?.labels.service
    if (service !== undefined) outputs.push({ kind: 'restartGivenUp', id, service, restarts: restartsMax })
  }

  function startRestart(id: string): void {
    changeRestarts(id, afterStarting)
    const tracked = known.get(id)
    if (tracked === undefined) return
    const { service } = tracked.labels
    const attempt = tracked.restarts.ended.length + 1
    report('info', 'restarting a container whose check fails', { service, container: tracked.fact.name, attempt })
    outputs.push({ kind: 'restartContainer', id, service })
  }

  function finishRestart(id: string, outcome: RestartOutcome, reason = ''): void {
    const tracked = known.get(id)
    if (tracked === undefined) return
    changeRestarts(id, history => afterEnding(history, now))
    const fields = { service: tracked.labels.service, container: tracked.fact.name }
    if (outcome === 'failed') report('warn', 'a restart failed; it is tried again later', { ...fields, reason })
    else report('info', outcome === 'done' ? 'restarted' : 'gone before it could be restarted', fields)
  }

  function changeRestarts(id: string, change: (history: RestartHistory) => RestartHistory): void {
    const tracked = known.get(id)
    if (tracked !== undefined) update(id, { ...tracked, restarts: change(tracked.restarts) })
  }

  function apply(input: Input): void {
    switch (input.kind) {
      case 'containersListed':
        return list(input.containers)
      case 'containerChanged':
        return see(input.container)
      case 'containerRemoved':
        return forget(input.id)
      case 'engineConnected':
        fresh = false
        return report('info', 'connected to the container engine', { version: input.version })
      case 'engineDisconnected':
        fresh = false
        return report('warn', 'lost the container engine; what was known stays', { reason: input.reason })
      case 'restartFinished':
        return finishRestart(input.id, input.outcome, input.reason)
      case 'tick':
        return
      default:
        unreachable(input)
    }
  }

  function step(input: Input): readonly Output[] {
    now = Math.max(now, input.now)
    if ('wallNow' in input) wallOffsetMs = input.wallNow - input.now
    outputs = []
    changes = []
    apply(input)
    wake()
    restart()
    const published: Output[] = changes.length === 0 ? [] : [{ kind: 'publish', changes }]
    if (fresh && !complete) {
      complete = true
      published.push({ kind: 'sectionComplete' })
    }
    return [...published, ...outputs]
  }

  function census(): Readonly<Record<InstanceState, number>> {
    const counts = { healthy: 0, unhealthy: 0, starting: 0, stopped: 0 }
    for (const { told } of known.values()) if (told !== undefined) counts[told.instance.state]++
    return counts
  }

  return {
    step,
    nextDeadline: () => earliest([restartsDueAt, ...[...known.values()].map(tracked => deadlineOf(tracked, now))]),
    census,
  }
}
