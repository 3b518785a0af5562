/**
 * The cluster as one thing: membership and registry, driven in the real world. Decides nothing itself; what arrives becomes
 * an input of one of the two machines, what they answer is performed here. Depends on ports and core alone: it runs in a
 * thread of its own (app/cluster-worker.ts) and in tests in this one, and cannot tell.
 */
import { createClusterMachine } from '../core/cluster/index.ts'
import type { ClusterInput, ClusterOutput } from '../core/cluster/index.ts'
import { membershipProfiles } from '../core/membership/index.ts'
import type { Security } from '../core/membership/index.ts'
import { encodeProfile } from '../core/registry/index.ts'
import type { RecordKey, Section } from '../core/registry/index.ts'
import { invariant, unreachable } from '../kernel/invariant.ts'
import { createPrng } from '../kernel/prng.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Address } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Datagrams, OpenDatagrams } from '../ports/datagrams.ts'
import type { Log } from '../ports/log.ts'
import type { MetricsSink } from '../ports/metrics.ts'
import type { StateFiles } from '../ports/state-files.ts'
import type { TakeRuntimeDelay } from '../ports/runtime-delay.ts'
import type { OpenStreams, Streams } from '../ports/streams.ts'
import { reportDelay } from './cluster-delay.ts'
import { createEpochKeeper } from './cluster-epoch.ts'
import type { ClusterHandle, ClusterSettings, ClusterSnapshot, Publication } from './cluster-handle.ts'
import { createKeyDesk } from './cluster-keys.ts'
import type { KeyKeeper } from './cluster-keys.ts'
import { createClusterLog } from './cluster-log.ts'
import { countPacket, countStreamBytes, reportMembership } from './cluster-metrics.ts'
import { createPeerList } from './cluster-peers.ts'
import { createSeedKeeper, isOwnSeed } from './cluster-seeds.ts'
import { createClusterTrace } from './cluster-trace.ts'
import { drive } from './drive.ts'
import { socketInputs } from './socket-inputs.ts'
import { noMarks } from './journal.ts'
import type { Marks } from './journal.ts'

export interface ClusterPorts {
  readonly clock: Clock
  readonly openDatagrams: OpenDatagrams
  readonly openStreams: OpenStreams
  readonly stateFiles: StateFiles
  readonly log: Log
  readonly metrics: MetricsSink
  /** Where the hops of records are marked. Default: nowhere. */
  readonly journal?: Pick<Marks, 'mark'>
  /** For every random choice of this run. */
  readonly seed: number
  /** `host`, `host:port`, an address; may reject, and is then asked again. */
  readonly resolveSeed: (text: string) => Promise<readonly Address[]>
  /** Default: timers are taken to be in time. */
  readonly takeRuntimeDelay?: TakeRuntimeDelay
  /** Cipher and keys of the gossip. Without it everything is in clear. */
  readonly security?: Security
  /** Without it the keys cannot be changed while the cluster runs. */
  readonly keyKeeper?: KeyKeeper
}

export function createCluster(settings: ClusterSettings, ports: ClusterPorts): ClusterHandle {
  const { name: self, bind, advertise, seeds } = settings
  const { clock, log, metrics } = ports
  const config = settings.membership ?? membershipProfiles.tailnet
  const story = createClusterLog(self, clock, log)
  const trace = createClusterTrace(self, clock, ports.journal ?? noMarks)
  const epochs = createEpochKeeper(ports)
  const peers = createPeerList(ports)

  const meta = encodeProfile(settings.profile)
  const protection = {
    label: settings.label ?? '',
    ...(ports.security && { security: ports.security }),
    ...(ports.keyKeeper && { fingerprint: ports.keyKeeper.fingerprint }),
  }
  const machine = createClusterMachine(
    { name: self, address: advertise, meta, config, ...protection },
    createPrng(ports.seed),
  )
  const driver = drive<ClusterInput, ClusterOutput>(machine, clock, perform)
  const keyDesk = createKeyDesk({
    self,
    seed: ports.seed,
    clock,
    log,
    metrics,
    keeper: ports.keyKeeper,
    members: () => machine.members(),
    feed,
  })
  const own = [advertise, bind]
  const seedKeeper = createSeedKeeper(
    { seeds, own },
    {
      clock,
      log,
      resolveSeed: ports.resolveSeed,
      others: () => machine.members().filter(member => member.name !== self),
      remembered: () => peers.addresses(),
      join: addresses => feed({ kind: 'join', addresses }),
    },
  )

  const listeners = new Set<(snapshot: ClusterSnapshot) => void>()
  const onLeft = new Set<() => void>()
  let phase: 'new' | 'running' | 'stopped' = 'new'
  let datagrams: Datagrams | undefined
  let streams: Streams | undefined
  let synced = false
  let expectsPeers = true
  let current: ClusterSnapshot | undefined
  let disarmNotice: (() => void) | undefined
  let stopReporting = (): void => undefined
  let stopMeasuring = (): void => undefined

  /** Stamps the time. */
  function tell(input: Unstamped<ClusterInput>): void {
    driver.feed({ ...input, now: clock.now() })
  }

  /** Before the start and after the end there is nobody to hear it. */
  function feed(input: Unstamped<ClusterInput>): void {
    if (phase === 'running') tell(input)
  }

  function perform(output: ClusterOutput): void {
    switch (output.kind) {
      case 'sendPacket':
        countPacket(metrics, 'sent', output.bytes.length)
        return datagrams?.send(output.to, output.bytes)
      case 'dialStream':
        return streams?.dial(output.stream, output.to)
      case 'writeStream':
        countStreamBytes(metrics, 'sent', output.bytes.length)
        return streams?.write(output.stream, output.bytes)
      case 'closeStream':
        return streams?.close(output.stream)
      case 'memberChanged':
        return memberChanged(output)
      case 'memberForgotten':
        return memberForgotten(output.name)
      case 'nameConflict':
        return story.nameConflict(output.name, output.known, output.other)
      case 'pushPullFinished':
        metrics.count('constellation_gossip_push_pulls_total', { outcome: output.ok ? 'ok' : 'failed' })
        if (output.ok && !synced) {
          synced = true
          changed()
        }
        return
      case 'joinFinished':
        return seedKeeper.joinFinished(output.address, output.ok, output.reason)
      case 'leaveFinished':
        return onLeft.forEach(done => done())
      case 'refused':
        metrics.count('constellation_gossip_refused_total', { reason: output.reason }, output.count ?? 1)
        return story.gossipRefused(output.from, output.reason, output.detail)
      case 'sectionChanged':
        story.recordsChanged(output.owner, output.changes)
        trace.recordsChanged(output.owner, output.changes, output.heard)
        return changed()
      case 'persistEpoch':
        log.warn('peers hold newer records of ours than this run wrote, publishing all anew', { epoch: output.epoch })
        return epochs.raise(output.epoch)
      case 'recordsRefused':
        metrics.count('constellation_registry_refused_total', { reason: output.reason }, output.count)
        if (output.reason.startsWith('own'))
          return story.warnNowAndThen(output.detail, 'a record of our own cannot be published', { ...output })
        return log.debug('record refused', { ...output })
      case 'stateOmitted':
        return story.warnNowAndThen(
          'state too large',
          'sections too large for any message, peers learn of them record by record only',
          {
            omitted: output.sections,
          },
        )
      case 'keyringChanged':
      case 'keyRequestSent':
      case 'keyReply':
        return keyDesk.perform(output)
      case 'newsSent':
        return trace.newsSent(output.name, output.to)
      default:
        return unreachable(output)
    }
  }

  function memberChanged({ member, previous }: Extract<ClusterOutput, { readonly kind: 'memberChanged' }>): void {
    story.memberChanged(member, previous)
    if (member.name !== self) peers.note(member)
    changed()
  }

  function memberForgotten(name: string): void {
    // While nobody else is there an old peer is still the best hope to find the cluster again.
    if (machine.members().some(member => member.name !== self && member.status === 'alive')) peers.strikeOff(name)
    changed()
  }

  function snapshot(): ClusterSnapshot {
    current ??= { members: machine.members(), sections: machine.sections(), synced, expectsPeers }
    return current
  }

  /** Listeners hear of everything that happened in this turn at once. */
  function changed(): void {
    current = undefined
    disarmNotice ??= clock.at(clock.now(), () => {
      disarmNotice = undefined
      for (const listener of listeners) listener(snapshot())
    })
  }

  async function openSockets(): Promise<void> {
    const handlers = socketInputs(input => {
      if (input.kind === 'packetReceived') countPacket(metrics, 'received', input.bytes.length)
      else if (input.kind === 'streamData') countStreamBytes(metrics, 'received', input.bytes.length)
      feed(input)
    })
    const limits = { maxInbound: config.inboundStreamsMax, connectTimeoutMs: config.streamTimeoutMs }
    datagrams = await ports.openDatagrams(bind, handlers)
    streams = await ports.openStreams(bind, limits, handlers)
  }

  async function closeSockets(): Promise<void> {
    await Promise.all([datagrams?.close(), streams?.shutdown()])
  }

  async function stop(): Promise<void> {
    if (phase === 'stopped') return
    phase = 'stopped'
    seedKeeper.stop()
    keyDesk.stop()
    stopReporting()
    stopMeasuring()
    disarmNotice?.()
    driver.stop()
    await Promise.all([closeSockets(), peers.stop(), epochs.stop()])
  }

  return {
    async start() {
      invariant(phase === 'new', 'a cluster starts once')
      log.info('Initializing gossip cluster...', {
        bind: formatAddress(bind),
        advertise: formatAddress(advertise),
        seeds,
      })
      const [epoch] = await Promise.all([epochs.begin(), peers.load()])
      expectsPeers = peers.addresses().length > 0 || seeds.some(seed => !isOwnSeed(seed, own))
      current = undefined
      tell({ kind: 'epochLoaded', epoch })
      await openSockets().catch(async (error: unknown) => {
        // Timers that were armed by now would keep a process alive that has nothing to do.
        await stop()
        throw error
      })
      // Stopped while it was starting.
      if (phase !== 'new') return closeSockets()
      phase = 'running'
      metrics.gauge('constellation_gossip_keys', ports.security?.keyring.length ?? 0)
      feed({ kind: 'started' })
      stopReporting = reportMembership(clock, metrics, () => ({
        members: machine.members(),
        stats: machine.stats(),
      }))
      const { takeRuntimeDelay } = ports
      if (takeRuntimeDelay !== undefined)
        stopMeasuring = reportDelay(clock, takeRuntimeDelay, delayMs => feed({ kind: 'runtimeDelayed', delayMs }))
      seedKeeper.start()
    },

    publish(changes) {
      tell({ kind: 'published', changes })
      const records = machine.sections().get(self)?.records
      return Promise.resolve(revisionsOf(changes, records))
    },
    markComplete: () => tell({ kind: 'completed' }),
    setProfile: profile => tell({ kind: 'metaChanged', meta: encodeProfile(profile) }),
    snapshot,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stats: () => machine.stats(),
    keys: (operation, timeoutMs) => keyDesk.ask(operation, timeoutMs),

    async leave(timeoutMs) {
      if (phase !== 'running') return
      seedKeeper.stop()
      peers.clear()
      await new Promise<void>(resolve => {
        const done = (): void => {
          disarm()
          onLeft.delete(done)
          resolve()
        }
        const disarm = clock.at(clock.now() + timeoutMs, done)
        onLeft.add(done)
        feed({ kind: 'leave' })
      })
    },

    stop,
  }
}

function revisionsOf(
  changes: readonly Publication[],
  records: Section['records'] | undefined,
): ReadonlyMap<RecordKey, number> {
  const revisions = new Map<RecordKey, number>()
  for (const { key } of changes) {
    const record = records?.get(key)
    if (record !== undefined) revisions.set(key, record.version.revision)
  }
  return revisions
}

type Unstamped<I> = I extends { readonly now: number } ? Omit<I, 'now'> : never
