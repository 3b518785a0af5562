/**
 * Members ↔ the reachability machine ↔ TCP connects. Whenever the cluster changes, those that do not answer become its
 * targets; the connects it asks for are made. Decides nothing.
 */
import { createReachability, targetsOf } from '../core/reachability/index.ts'
import type { Input, Output, Verdicts } from '../core/reachability/index.ts'
import type { ProbeVerdict } from '../core/registry/index.ts'
import { describeError } from '../kernel/errors.ts'
import { formatAddress } from '../kernel/units.ts'
import type { NodeName } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { TcpProbe } from '../ports/tcp-probe.ts'
import type { ClusterHandle, ClusterSnapshot } from './cluster-handle.ts'
import { drive } from './drive.ts'
import type { Observable } from './handles.ts'

export interface ReachabilityController extends Observable<Verdicts> {
  start(): void
  stop(): void
}

export interface ReachabilityControllerOptions {
  readonly node: NodeName
  readonly cluster: Pick<ClusterHandle, 'snapshot' | 'onChange'>
  readonly probe: TcpProbe
  readonly clock: Clock
  readonly log: Log
}

export function createReachabilityController(options: ReachabilityControllerOptions): ReachabilityController {
  const { node, cluster, probe, clock, log } = options
  const machine = createReachability()
  const driver = drive<Input, Output>(machine, clock, perform)
  const listeners = new Set<(verdicts: Verdicts) => void>()
  let unsubscribe = (): void => undefined
  let said: ReadonlyMap<NodeName, ProbeVerdict> = new Map()

  function onCluster({ members, sections }: ClusterSnapshot): void {
    driver.feed({ kind: 'targetsChanged', now: clock.now(), targets: targetsOf(node, members, sections) })
  }

  function perform(output: Output): void {
    if (output.kind === 'verdictsChanged') return tell()
    const { address, token, timeoutMs } = output
    const finish = (verdict: ProbeVerdict): void =>
      driver.feed({ kind: 'probeFinished', now: clock.now(), token, verdict })
    probe(address, timeoutMs).then(finish, (error: unknown) => {
      log.warn('a probe failed in a way it must not', { address: formatAddress(address), error: describeError(error) })
      finish('silent')
    })
  }

  function tell(): void {
    const verdicts = machine.verdicts()
    for (const [name, { agent }] of verdicts)
      if (said.get(name) !== agent)
        log.info(`the agent of ${name} does not gossip; its port ${inWords[agent]}`, { peer: name })
    said = new Map([...verdicts].map(([name, { agent }]) => [name, agent]))
    for (const listener of listeners) listener(verdicts)
  }

  return {
    start() {
      unsubscribe = cluster.onChange(onCluster)
      onCluster(cluster.snapshot())
    },
    stop() {
      unsubscribe()
      driver.stop()
    },
    current: () => machine.verdicts(),
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const inWords: Readonly<Record<ProbeVerdict, string>> = {
  answers: 'still accepts, so its host is up',
  refused: 'refuses, so its host is up without it',
  silent: 'is silent, so its host is down or cut off',
}
