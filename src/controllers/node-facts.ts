/**
 * Publishes what this node is and has: at start, when the engine comes or goes, and every 30 s if something has moved.
 * Free memory and disk move all the time; they are told again only when they have moved by a hundredth of the whole, so
 * that a quiet cluster stays quiet.
 */
import { nodeFactsKey } from '../core/registry/index.ts'
import type { NodeFacts } from '../core/registry/index.ts'
import { describeError } from '../kernel/errors.ts'
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { HostStats, ReadHostStats } from '../ports/host-stats.ts'
import type { Log } from '../ports/log.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import type { HealthController } from './health.ts'

const refreshMs: Millis = 30_000
/** Of the whole: the smallest move of a free amount that is told. */
const noiseShare = 0.01

export interface NodeFactsController {
  /** Resolves when the first facts are handed over; start it before the health controller marks our section complete. */
  start(): Promise<void>
  stop(): void
  /** The agent goes and will be back within `forMs`; peers show it as restarting instead of dead. */
  announceRestart(forMs: Millis): void
}

export interface NodeFactsControllerOptions {
  readonly cluster: Pick<ClusterHandle, 'publish'>
  readonly health: Pick<HealthController, 'engineState' | 'onEngineChange'>
  readonly readHostStats: ReadHostStats
  readonly agentVersion: string
  readonly clock: Clock
  readonly log: Log
}

export function createNodeFactsController(options: NodeFactsControllerOptions): NodeFactsController {
  const { cluster, health, readHostStats, agentVersion, clock, log } = options
  let stats: HostStats | undefined
  let restartingForMs: Millis | undefined
  let disarm = (): void => undefined
  let unsubscribe = (): void => undefined
  let stopped = false

  function publish(): void {
    if (stats === undefined || stopped) return
    const { kind, version, connected } = health.engineState()
    const facts: NodeFacts = {
      agentVersion,
      ...stats,
      engine: { kind, version, connected },
      ...(restartingForMs === undefined ? {} : { restartingForMs }),
    }
    void cluster.publish([{ key: nodeFactsKey, body: { kind: 'nodeFacts', facts } }])
  }

  async function refresh(): Promise<void> {
    try {
      stats = withoutNoise(stats, await readHostStats())
      publish()
    } catch (error) {
      log.warn('cannot read what this node has; the last known figures stay', { error: describeError(error) })
    }
    if (!stopped) disarm = clock.at(clock.now() + refreshMs, () => void refresh())
  }

  return {
    start() {
      unsubscribe = health.onEngineChange(publish)
      return refresh()
    },
    stop() {
      stopped = true
      unsubscribe()
      disarm()
    },
    announceRestart(forMs) {
      restartingForMs = forMs
      publish()
    },
  }
}

/** `next`, with free amounts kept as they were told while they differ by noise only. */
export function withoutNoise(told: HostStats | undefined, next: HostStats): HostStats {
  if (told === undefined) return next
  const keep = (before: number, now: number, whole: number): number =>
    Math.abs(now - before) < whole * noiseShare ? before : now
  return {
    ...next,
    memoryFreeBytes: keep(told.memoryFreeBytes, next.memoryFreeBytes, next.memoryTotalBytes),
    diskFreeBytes: keep(told.diskFreeBytes, next.diskFreeBytes, next.diskTotalBytes),
  }
}
