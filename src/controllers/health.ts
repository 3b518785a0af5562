/**
 * The engine ↔ the health machine ↔ the cluster. Engine events go in; instances are published, labelled restarts carried
 * out, reports logged. Decides nothing. First hop of the walk "a container turns unhealthy": its key is logged here.
 */
import { createHealth } from '../core/health/index.ts'
import type { Change, Input, Output, RestartOutcome } from '../core/health/index.ts'
import type { Instance, InstanceState } from '../core/registry/index.ts'
import { walkKey } from '../core/registry/index.ts'
import { describeError } from '../kernel/errors.ts'
import { unreachable } from '../kernel/invariant.ts'
import type { Millis, NodeName } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import { ContainerGone } from '../ports/container-engine.ts'
import type { ContainerEngine, EngineEvent } from '../ports/container-engine.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import { drive } from './drive.ts'
import { noMarks } from './journal.ts'
import type { Marks } from './journal.ts'
import { createObservations } from './observations.ts'
import type { Observation } from './observations.ts'

export interface EngineState {
  readonly kind: ContainerEngine['kind']
  /** Empty until the first connection. */
  readonly version: string
  readonly connected: boolean
  /** Why it is not connected; absent while nothing was heard of it yet. */
  readonly reason?: string
  /** Listed and published since the start; stays true when the engine is lost afterwards. */
  readonly listed: boolean
}

export interface HealthController {
  /** Subscribes to the engine; an engine that is absent now is picked up when it comes. */
  start(): void
  /** Resolves when the engine has let go of us. Containers are not touched. */
  stop(): Promise<void>
  engineListed(): boolean
  engineState(): EngineState
  onEngineChange(listener: (state: EngineState) => void): () => void
}

export interface HealthControllerOptions {
  readonly engine: ContainerEngine
  readonly cluster: Pick<ClusterHandle, 'publish' | 'markComplete'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Where the hops of a change are marked. Default: nowhere. */
  readonly journal?: Marks
  readonly node: NodeName
  readonly expose: 'labelled' | 'all'
}

const states: readonly InstanceState[] = ['healthy', 'unhealthy', 'starting', 'stopped']

export function createHealthController(options: HealthControllerOptions): HealthController {
  const { engine, cluster, clock, log, metrics, node, journal = noMarks } = options
  const health = createHealth({ expose: options.expose })
  const driver = drive<Input, Output>(health, clock, perform)
  const observations = createObservations()
  const listeners = new Set<(state: EngineState) => void>()
  const stopping = new AbortController()
  let watching: Promise<void> = Promise.resolve()
  let told: Promise<void> = Promise.resolve()
  let engineState: EngineState = { kind: engine.kind, version: '', connected: false, listed: false }

  function onEvent(event: EngineEvent): void {
    const now = clock.now()
    switch (event.kind) {
      case 'connected':
        if (engineState.version !== '') metrics.count('constellation_engine_reconnects_total')
        setEngineState({ connected: true, version: event.version })
        return driver.feed({ kind: 'engineConnected', now, version: event.version })
      case 'disconnected':
        setEngineState({ connected: false, reason: event.reason })
        return driver.feed({ kind: 'engineDisconnected', now, reason: event.reason })
      case 'listed':
        for (const container of event.containers) observations.seen(container, now)
        return driver.feed({ kind: 'containersListed', now, wallNow: clock.wallNow(), containers: event.containers })
      case 'changed':
        observations.seen(event.container, now)
        return driver.feed({ kind: 'containerChanged', now, wallNow: clock.wallNow(), container: event.container })
      case 'removed':
        observations.gone(event.id, now)
        return driver.feed({ kind: 'containerRemoved', now, id: event.id })
      default:
        return unreachable(event)
    }
  }

  function perform(output: Output): void {
    switch (output.kind) {
      case 'publish':
        return publish(output.changes)
      case 'sectionComplete':
        cluster.markComplete()
        return setEngineState({ listed: true })
      case 'restartContainer':
        return restart(output.id)
      case 'restartGivenUp':
        metrics.count('constellation_restarts_total', { outcome: 'gaveUp' })
        return tell(() =>
          log.warn(`${output.service} is not restarted any more: it fails again and again`, {
            container: output.id,
            restarts: output.restarts,
          }),
        )
      case 'report':
        return tell(() => log[output.level](output.message, output.fields))
      default:
        return unreachable(output)
    }
  }

  function publish(changes: readonly Change[]): void {
    const decidedAt = clock.now()
    const seen = new Map(changes.map(({ key }) => [key, observations.take(key)]))
    const published = cluster.publish(changes.map(({ key, body }) => ({ key, body })))
    const census = health.census()
    for (const state of states) metrics.gauge('constellation_instances', census[state], { state })
    tell(async () => {
      const revisions = await published
      // What the registry refused is told by the cluster, and was never anybody's revision.
      for (const change of changes) {
        logChange(change, revisions.get(change.key) ?? 0)
        markChange(change, revisions.get(change.key), seen.get(change.key), decidedAt)
      }
    })
  }

  /** Lines of a publication wait for its revisions; what happened later is told later all the same. */
  function tell(say: () => void | Promise<void>): void {
    told = told.then(say)
  }

  function logChange({ body, was }: Change, revision: number): void {
    const instance = body.kind === 'instance' ? body.instance : was
    if (instance === undefined) return
    const { service, containerName: container, reason } = instance
    const key = walkKey(service, node, revision)
    if (body.kind === 'removed') return log.info(`${service} is gone`, { key, container })
    if (was?.state === instance.state) return log.debug(`${service} changed`, { key, container, reason })
    return log.info(`${service} is ${instance.state}`, { key, container, reason, was: was?.state })
  }

  /** Only now is it known which walk these hops belong to. */
  function markChange(
    { body, was }: Change,
    revision: number | undefined,
    seen: Observation | undefined,
    at: Millis,
  ): void {
    const instance = body.kind === 'instance' ? body.instance : was
    if (instance === undefined || revision === undefined) return
    const key = walkKey(instance.service, node, revision)
    if (seen !== undefined) journal.mark(key, 'observed', seen.atMs, seen.detail)
    journal.mark(key, 'decided', at, body.kind === 'instance' ? inWords(body.instance) : 'gone')
  }

  function restart(id: string): void {
    const finish = (outcome: RestartOutcome, reason?: string): void => {
      if (stopping.signal.aborted) return
      if (outcome !== 'gone') metrics.count('constellation_restarts_total', { outcome })
      const why = reason === undefined ? {} : { reason }
      driver.feed({ kind: 'restartFinished', now: clock.now(), id, outcome, ...why })
    }
    engine.restart(id, stopping.signal).then(
      () => finish('done'),
      (error: unknown) => finish(error instanceof ContainerGone ? 'gone' : 'failed', describeError(error)),
    )
  }

  function setEngineState(change: Partial<EngineState>): void {
    // A reason belongs to one loss.
    const { reason: _reason, ...kept } = engineState
    engineState = { ...kept, ...change }
    metrics.gauge('constellation_engine_connected', engineState.connected ? 1 : 0)
    for (const listener of listeners) listener(engineState)
  }

  return {
    start() {
      watching = engine.watch(onEvent, stopping.signal).catch((error: unknown) => {
        // Against its contract; what was published stays, and the operator has to know that it ages.
        const reason = describeError(error)
        log.error('watching the engine ended by itself; health is not updated any more', { error: reason })
        setEngineState({ connected: false, reason })
      })
    },
    async stop() {
      stopping.abort()
      driver.stop()
      await Promise.all([watching, told])
    },
    engineListed: () => engineState.listed,
    engineState: () => engineState,
    onEngineChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function inWords({ state, reason }: Instance): string {
  return reason === undefined ? state : `${state}: ${reason}`
}
