/**
 * The cluster as one thing: membership and registry, driven in the real world. Decides nothing itself; what arrives becomes
 * an input of one of the two machines, what they answer is performed here. Depends on ports and core alone, so that it can
 * move into a worker as it is.
 */
import { createMembership, lanConfig } from '../core/membership/index.ts'
import type { Input, Output } from '../core/membership/index.ts'
import { createRegistry, encodeProfile } from '../core/registry/index.ts'
import type { RegistryInput, RegistryOutput } from '../core/registry/index.ts'
import { invariant, unreachable } from '../kernel/invariant.ts'
import { createPrng } from '../kernel/prng.ts'
import { formatAddress, isNodeName } from '../kernel/units.ts'
import type { Address } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Datagrams, OpenDatagrams } from '../ports/datagrams.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { StateFiles } from '../ports/state-files.ts'
import type { OpenStreams, Streams } from '../ports/streams.ts'
import { createEpochKeeper } from './cluster-epoch.ts'
import type { ClusterHandle, ClusterSettings, ClusterSnapshot } from './cluster-handle.ts'
import { createClusterLog } from './cluster-log.ts'
import { countPacket, reportMembership } from './cluster-metrics.ts'
import { createPeerList } from './cluster-peers.ts'
import { createSeedKeeper, isOwnSeed } from './cluster-seeds.ts'
import { drive } from './drive.ts'

export interface ClusterPorts {
  readonly clock: Clock
  readonly openDatagrams: OpenDatagrams
  readonly openStreams: OpenStreams
  readonly stateFiles: StateFiles
  readonly log: Log
  readonly metrics: Metrics
  /** For every random choice of this run. */
  readonly seed: number
  /** `host`, `host:port`, an address; may reject, and is then asked again. */
  readonly resolveSeed: (text: string) => Promise<readonly Address[]>
}

/** What a registry message may weigh to be gossiped: a little less than a packet holds, so that others ride along. */
const broadcastSizeBytesMax = 1_000

export function createCluster(settings: ClusterSettings, ports: ClusterPorts): ClusterHandle {
  const { name: self, bind, advertise, seeds } = settings
  const { clock, log, metrics } = ports
  const config = settings.membership ?? lanConfig
  const story = createClusterLog(self, clock, log)
  const epochs = createEpochKeeper(ports)
  const peers = createPeerList(ports)

  const registry = createRegistry({ owner: self, broadcastSizeBytesMax })
  const membership = createMembership(
    { name: self, address: advertise, meta: encodeProfile(settings.profile), config },
    { localState },
    createPrng(ports.seed),
  )
  const records = drive<RegistryInput, RegistryOutput>(registry, clock, performRegistry)
  const members = drive<Input, Output>(membership, clock, performMembership)
  const own = [advertise, bind]
  const seedKeeper = createSeedKeeper(
    { seeds, own },
    {
      clock,
      log,
      resolveSeed: ports.resolveSeed,
      others: () => membership.members().filter(member => member.name !== self),
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

  /** Stamps the time; before the start and after the end there is nobody to hear it. */
  function feed(input: Unstamped<Input>): void {
    if (phase === 'running') members.feed({ ...input, now: clock.now() })
  }

  function tellRegistry(input: Unstamped<RegistryInput>): void {
    records.feed({ ...input, now: clock.now() })
  }

  function localState(): Uint8Array {
    const { bytes, omitted } = registry.localState(clock.now())
    if (omitted > 0)
      story.warnNowAndThen('state too large', 'the state of the cluster no longer fits one push/pull', { omitted })
    return bytes
  }

  function performMembership(output: Output): void {
    switch (output.kind) {
      case 'sendPacket':
        countPacket(metrics, 'sent', output.bytes.length)
        return datagrams?.send(output.to, output.bytes)
      case 'dialStream':
        return streams?.dial(output.stream, output.to)
      case 'writeStream':
        return streams?.write(output.stream, output.bytes)
      case 'closeStream':
        return streams?.close(output.stream)
      case 'memberChanged':
        return memberChanged(output)
      case 'memberForgotten':
        return memberForgotten(output.name)
      case 'nameConflict':
        return story.nameConflict(output.name, output.known, output.other)
      case 'userMessage':
        return tellRegistry({ kind: 'deltaReceived', bytes: output.bytes })
      case 'remoteState':
        return tellRegistry({ kind: 'stateReceived', bytes: output.bytes })
      case 'pushPullFinished':
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
        metrics.count('constellation_gossip_refused_total', { reason: output.reason })
        return log.debug('gossip refused', {
          from: formatAddress(output.from),
          reason: output.reason,
          detail: output.detail,
        })
      default:
        return unreachable(output)
    }
  }

  function performRegistry(output: RegistryOutput): void {
    switch (output.kind) {
      case 'broadcast':
        return feed({ kind: 'broadcast', name: output.name, message: output.message })
      case 'broadcastReliably':
        return feed({ kind: 'broadcastReliably', message: output.message })
      case 'sectionChanged':
        story.recordsChanged(output.owner, output.changes)
        return changed()
      case 'persistEpoch':
        log.warn('peers hold newer records of ours than this run wrote, publishing all anew', { epoch: output.epoch })
        return epochs.raise(output.epoch)
      case 'refused':
        metrics.count('constellation_registry_refused_total', { reason: output.reason }, output.count)
        if (output.reason.startsWith('own'))
          return story.warnNowAndThen(output.detail, 'a record of our own cannot be published', { ...output })
        return log.debug('record refused', { ...output })
      default:
        return unreachable(output)
    }
  }

  function memberChanged({ member, previous }: Extract<Output, { readonly kind: 'memberChanged' }>): void {
    story.memberChanged(member, previous)
    if (member.name !== self) {
      peers.note(member)
      if (isNodeName(member.name))
        tellRegistry({ kind: member.status === 'left' ? 'memberGone' : 'memberPresent', name: member.name })
    }
    changed()
  }

  function memberForgotten(name: string): void {
    if (isNodeName(name)) tellRegistry({ kind: 'memberGone', name })
    // While nobody else is there an old peer is still the best hope to find the cluster again.
    if (membership.members().some(member => member.name !== self && member.status === 'alive')) peers.strikeOff(name)
    changed()
  }

  function snapshot(): ClusterSnapshot {
    current ??= { members: membership.members(), sections: registry.sections(), synced, expectsPeers }
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
    datagrams = await ports.openDatagrams(bind, {
      onPacket(from, bytes) {
        countPacket(metrics, 'received', bytes.length)
        feed({ kind: 'packetReceived', from, bytes })
      },
      onUndeliverable: to => feed({ kind: 'packetUndeliverable', to }),
    })
    const limits = { maxInbound: config.inboundStreamsMax, connectTimeoutMs: config.streamTimeoutMs }
    streams = await ports.openStreams(bind, limits, {
      onAccepted: (stream, from) => feed({ kind: 'streamAccepted', stream, from }),
      onConnected: stream => feed({ kind: 'streamConnected', stream }),
      onData: (stream, bytes) => feed({ kind: 'streamData', stream, bytes }),
      onClosed: (stream, reason) => feed({ kind: 'streamClosed', stream, ...(reason === undefined ? {} : { reason }) }),
    })
  }

  async function closeSockets(): Promise<void> {
    await Promise.all([datagrams?.close(), streams?.shutdown()])
  }

  async function stop(): Promise<void> {
    if (phase === 'stopped') return
    phase = 'stopped'
    seedKeeper.stop()
    stopReporting()
    disarmNotice?.()
    members.stop()
    records.stop()
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
      tellRegistry({ kind: 'epochLoaded', epoch })
      await openSockets().catch(async (error: unknown) => {
        // Timers that were armed by now would keep a process alive that has nothing to do.
        await stop()
        throw error
      })
      // Stopped while it was starting.
      if (phase !== 'new') return closeSockets()
      phase = 'running'
      feed({ kind: 'started' })
      stopReporting = reportMembership(clock, metrics, () => ({
        members: membership.members(),
        stats: membership.stats(),
      }))
      seedKeeper.start()
    },

    publish(changes) {
      tellRegistry({ kind: 'published', changes })
      return registry.sections().get(self)?.version.revision ?? 0
    },
    markComplete: () => tellRegistry({ kind: 'completed' }),
    setProfile: profile => members.feed({ kind: 'metaChanged', meta: encodeProfile(profile), now: clock.now() }),
    snapshot,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stats: () => membership.stats(),

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

type Unstamped<I> = I extends { readonly now: number } ? Omit<I, 'now'> : never
