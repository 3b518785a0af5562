/**
 * Keeps the view current: members, sections, reachability and our own engine go into `buildView`, whoever subscribed is
 * told when something came of it. Rebuilt at most once per turn of the event loop, however many changes arrive in it.
 * Logs the hop of the walk at which an instance gains or loses traffic here.
 */
import { buildView, viewDeadline, walkKey } from '../core/registry/index.ts'
import type { ClusterView, InstanceView, NodeView, ViewInput } from '../core/registry/index.ts'
import type { Millis, NodeName } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import type { ViewHandle } from './handles.ts'
import type { HealthController } from './health.ts'
import { noMarks } from './journal.ts'
import type { Marks } from './journal.ts'
import type { ReachabilityController } from './reachability.ts'

/** When none of those we expect has answered by then, what we have is all there is. With nobody to expect it is at once. */
export const settleMs: Millis = 10_000

export interface ViewController extends ViewHandle {
  start(): void
  stop(): void
}

export interface ViewControllerOptions {
  readonly node: NodeName
  readonly cluster: Pick<ClusterHandle, 'snapshot' | 'onChange'>
  readonly reachability: Pick<ReachabilityController, 'current' | 'onChange'>
  readonly health: Pick<HealthController, 'engineListed' | 'onEngineChange'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Where the hops of a change are marked. Default: nowhere. */
  readonly journal?: Marks
}

export function createViewController(options: ViewControllerOptions): ViewController {
  const { node, cluster, reachability, health, clock, log, metrics, journal = noMarks } = options
  const listeners = new Set<(view: ClusterView) => void>()
  let unsubscribe: readonly (() => void)[] = []
  let settleAt = Infinity
  let view: ClusterView = { revision: 0, self: node, complete: false, nodes: [] }
  let disarm = (): void => undefined
  let armedFor: Millis | undefined

  /** A timer that is already due is how a change waits for the end of this turn. */
  function rebuildAt(deadline: Millis): void {
    if (armedFor !== undefined && armedFor <= deadline) return
    disarm()
    armedFor = deadline
    disarm = clock.at(deadline, rebuild)
  }

  const rebuildSoon = (): void => rebuildAt(clock.now())

  function rebuild(): void {
    armedFor = undefined
    const { members, sections, synced, expectsPeers } = cluster.snapshot()
    const now = clock.now()
    const input: ViewInput = {
      self: node,
      now,
      members,
      sections,
      reachability: reachability.current(),
      engineListed: health.engineListed(),
      settled: synced || !expectsPeers || now >= settleAt,
    }
    const before = view
    view = buildView(input, before)
    const next = Math.min(viewDeadline(input) ?? Infinity, now < settleAt ? settleAt : Infinity)
    if (next !== Infinity) rebuildAt(next)
    if (view === before) return
    metrics.gauge('constellation_view_revision', view.revision)
    logChanges(before, view, { log, mark: (key, detail) => journal.mark(key, 'viewed', now, detail) })
    for (const listener of listeners) listener(view)
  }

  return {
    start() {
      settleAt = clock.now() + settleMs
      unsubscribe = [
        cluster.onChange(rebuildSoon),
        reachability.onChange(rebuildSoon),
        health.onEngineChange(rebuildSoon),
      ]
      rebuild()
    },
    stop() {
      for (const end of unsubscribe) end()
      disarm()
    },
    current: () => view,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

interface Scribe {
  readonly log: Log
  readonly mark: (key: string, detail: string) => void
}

function logChanges(before: ClusterView, after: ClusterView, scribe: Scribe): void {
  if (after.complete && !before.complete) scribe.log.info('the view is complete', { nodes: after.nodes.length })
  const nodesBefore = new Map(before.nodes.map(node => [node.name, node]))
  for (const node of after.nodes) {
    const known = nodesBefore.get(node.name)
    if (known === node) continue
    logNode(known, node, scribe)
  }
}

function logNode(before: NodeView | undefined, after: NodeView, { log, mark }: Scribe): void {
  if (before?.agent !== after.agent)
    log.info(`${after.name} is ${after.status}, its agent ${after.agent}`, { peer: after.name, was: before?.agent })
  const instancesBefore = new Map(before?.instances.map(instance => [instance.containerId, instance]))
  for (const instance of after.instances) {
    const known = instancesBefore.get(instance.containerId)
    instancesBefore.delete(instance.containerId)
    if (known === instance) continue
    if (known?.traffic !== instance.traffic) log.info(inWords(instance), hop(instance))
    if (!sameVerdict(known, instance)) mark(hop(instance).key, `traffic ${instance.traffic}: ${instance.trafficReason}`)
  }
  for (const gone of instancesBefore.values()) {
    log.info(`${gone.service} on ${gone.node} is gone`, hop(gone))
    mark(hop(gone).key, 'gone')
  }
}

function sameVerdict(before: InstanceView | undefined, after: InstanceView): boolean {
  return before?.revision === after.revision && before.trafficReason === after.trafficReason
}

function inWords({ service, node, traffic, trafficReason }: InstanceView): string {
  const verdict = {
    yes: 'receives traffic',
    lastResort: 'receives traffic as a last resort',
    no: 'receives no traffic',
  }
  return `${service} on ${node} ${verdict[traffic]}: ${trafficReason}`
}

function hop({ service, node, revision, containerName }: InstanceView): { key: string; container: string } {
  return { key: walkKey(service, node, revision), container: containerName }
}
