/**
 * The one entrance of the membership machine: SWIM with Lifeguard, speaking memberlist's protocol. Feed it what happened,
 * do what it answers, call it again at `nextDeadline`. It owns its state; nothing else is ever changed.
 * Deadlines are acted on in ticks alone: whatever else arrives is heard first, even if it comes a little late.
 */
import { equalBytes } from '../../kernel/bytes.ts'
import { invariant, unreachable } from '../../kernel/invariant.ts'
import type { Prng } from '../../kernel/prng.ts'
import { sameAddress } from '../../kernel/units.ts'
import type { Address, Millis } from '../../kernel/units.ts'
import type { Keyring } from './cipher.ts'
import { encodeMessage } from './codec.ts'
import { expireSuspicions } from './dead-rule.ts'
import { finishLeaving, startLeaving } from './departure.ts'
import { runGossip } from './gossip.ts'
import { receivePacket } from './packets.ts'
import { probeUndeliverable, runProbe } from './probe.ts'
import { withKeyring } from './protection.ts'
import { runPushPull, startPushPull } from './push-pull.ts'
import { runReconnect } from './reconnect.ts'
import { tellOfUs } from './refutation.ts'
import { expireRelays } from './relay.ts'
import { absorbStall } from './stall.ts'
import { fitsPacket, largestBroadcast } from './send.ts'
import { announce, byName, createState, emit, snapshot, wakeBy } from './state.ts'
import type { MembershipSettings, State } from './state.ts'
import {
  broadcastReliably,
  expireExchanges,
  sendReliably,
  sendToSome,
  streamAccepted,
  streamClosed,
  streamConnected,
  streamData,
} from './streams.ts'
import type { Application, Input, Membership, Output } from './types.ts'

export function createMembership(settings: MembershipSettings, application: Application, prng: Prng): Membership {
  invariant(settings.meta.length <= settings.config.metaMaxBytes, 'our metadata keeps the protocol limit')
  const state = createState(settings, application, prng)
  invariant(fitsPacket(state.config, state.protection), 'news about any member fit a packet, whatever lies around them')
  return {
    step(input) {
      state.now = Math.max(state.now, input.now)
      if (state.phase === 'new') beforeStart(state, input)
      else if (state.phase === 'left') afterLeave(state, input)
      else apply(state, input)
      finishLeaving(state)
      wakeForNews(state)
      return takeOutputs(state)
    },
    nextDeadline: () => (isAwake(state) ? state.wakeAt : undefined),
    members: () => [...state.members.values()].map(snapshot).sort(byName),
    stats: () => ({
      ...state.stats,
      healthScore: state.awareness.score,
      queueDepth: hasCompany(state) ? state.news.length + state.userNews.length : 0,
    }),
  }
}

/** Alone, news wait for nobody: whoever comes gets the whole state by push/pull, so they are no backlog. */
function hasCompany(state: State): boolean {
  return state.roster.some(
    ({ name, status }) => name !== state.self.name && (status === 'alive' || status === 'suspect'),
  )
}

function isAwake(state: State): boolean {
  return state.phase === 'running' || state.phase === 'leaving'
}

function takeOutputs(state: State): readonly Output[] {
  const { outputs } = state
  state.outputs = []
  return outputs
}

/** The sockets may be open already: what comes in too early is dropped, as it would have been a moment before. */
function beforeStart(state: State, input: Input): void {
  if (input.kind === 'started') start(state)
  else if (input.kind === 'metaChanged') state.self.meta = input.meta
  else if (input.kind === 'keyringChanged') changeKeyring(state, input.keyring)
  else if (input.kind === 'streamAccepted') emit(state, { kind: 'closeStream', stream: input.stream })
  else invariant(!isCommand(input), `${input.kind} comes after started`)
}

function afterLeave(state: State, input: Input): void {
  if (input.kind === 'streamAccepted') emit(state, { kind: 'closeStream', stream: input.stream })
}

function isCommand({ kind }: Input): boolean {
  return kind === 'join' || kind === 'leave' || kind === 'broadcast' || kind === 'broadcastReliably'
}

/** Every period begins at a random moment, so that nodes started together do not act together. */
function start(state: State): void {
  const { config, due, prng, now } = state
  state.phase = 'running'
  state.self.statusSince = now
  due.probe = now + prng.below(config.probeIntervalMs)
  due.gossip = now + prng.below(config.gossipIntervalMs)
  due.pushPull = now + prng.below(config.pushPullIntervalMs)
  due.reconnect = now + prng.below(config.reconnectIntervalMs)
  state.wakeAt = earliest(state)
  tellOfUs(state)
  announce(state, state.self, undefined)
}

function apply(state: State, input: Input): void {
  switch (input.kind) {
    case 'started':
      return invariant(false, 'a machine starts once')
    case 'packetReceived':
      return receivePacket(state, input.from, input.bytes)
    case 'packetUndeliverable':
      return probeUndeliverable(state, input.to)
    case 'streamAccepted':
      return streamAccepted(state, input.stream, input.from)
    case 'streamConnected':
      return streamConnected(state, input.stream)
    case 'streamData':
      return streamData(state, input.stream, input.bytes)
    case 'streamClosed':
      return streamClosed(state, input.stream, input.reason)
    case 'tick':
      return tick(state)
    case 'join':
      return join(state, input.addresses)
    case 'leave':
      return startLeaving(state)
    case 'metaChanged':
      return changeMeta(state, input.meta)
    case 'broadcast':
      return broadcast(state, input.name, input.message)
    case 'broadcastsWithdrawn':
      for (const name of input.names) state.userNews.withdraw(name)
      return
    case 'broadcastReliably':
      return broadcastReliably(state, input.message)
    case 'sendToSome':
      return sendToSome(state, input.among, input.count, input.message)
    case 'sendReliably':
      return sendReliably(state, input.to, input.message, input.askedFrom)
    case 'keyringChanged':
      return changeKeyring(state, input.keyring)
    case 'runtimeDelayed':
      // Whoever serves its timers late hears answers late as well.
      if (input.delayMs > state.config.runtimeDelayMs) state.awareness.adjust(1)
      return
    default:
      return unreachable(input)
  }
}

function tick(state: State): void {
  absorbStall(state)
  expireSuspicions(state)
  expireRelays(state)
  expireExchanges(state)
  runProbe(state)
  runGossip(state)
  runPushPull(state)
  runReconnect(state)
  state.wakeAt = earliest(state)
}

/**
 * A round without news would wake the process for nothing, five times a second. So rounds rest while the queues are empty,
 * and the first news after a rest leaves at once.
 */
function wakeForNews(state: State): void {
  if (isAwake(state) && hasNews(state)) wakeBy(state, Math.max(state.due.gossip, state.now))
}

function hasNews({ news, userNews }: State): boolean {
  return news.length > 0 || userNews.length > 0
}

function earliest(state: State): Millis {
  const { due, probe, suspects, relays, exchanges } = state
  let at = Math.min(due.pushPull, due.reconnect)
  if (hasNews(state)) at = Math.min(at, due.gossip)
  if (probe === undefined) at = Math.min(at, due.probe)
  else at = Math.min(at, probe.deadline, probe.phase === 'direct' ? probe.directUntil : probe.deadline)
  for (const { suspicion } of suspects) at = Math.min(at, suspicion?.deadline ?? at)
  for (const { nackAt, deadline } of relays.values()) at = Math.min(at, nackAt ?? deadline)
  for (const { deadline } of exchanges.values()) at = Math.min(at, deadline)
  return at
}

function join(state: State, addresses: readonly Address[]): void {
  for (const address of addresses) {
    if (!sameAddress(address, state.self.address)) startPushPull(state, address, true)
    else emit(state, { kind: 'joinFinished', address, ok: false, reason: 'this is our own address' })
  }
}

function changeMeta(state: State, meta: Uint8Array): void {
  invariant(meta.length <= state.config.metaMaxBytes, 'our metadata keeps the protocol limit')
  if (state.phase !== 'running' || equalBytes(meta, state.self.meta)) return
  state.self.meta = meta
  tellOfUs(state)
  announce(state, state.self, state.self.status)
}

function changeKeyring(state: State, keyring: Keyring): void {
  state.protection = withKeyring(state.protection, keyring)
}

function broadcast(state: State, name: string, message: Uint8Array): void {
  const bytesMax = largestBroadcast(state.config, state.protection)
  invariant(message.length <= bytesMax, `a broadcast fits a packet: ${name} has ${message.length} bytes`)
  state.userNews.queue(name, encodeMessage({ kind: 'user', bytes: message }))
}
