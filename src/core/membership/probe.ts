/**
 * One probe round at a time: ping the next member of the walk; when it stays silent ask others to ping it, and try TCP
 * beside them; when the round ends without any sign of life, suspect it.
 * Rounds never overlap and missed ones are dropped. A round that fails takes its whole interval, stretched by our health
 * score; the time for a direct answer is not stretched.
 */
import type { Address } from '../../kernel/units.ts'
import { sameAddress } from '../../kernel/units.ts'
import { next } from './counter.ts'
import { closeExchange, dial } from './exchanges.ts'
import type { PacketMessage, Ping, ProbeSource } from './messages.ts'
import { nextToProbe, pickAnswering } from './peers.ts'
import { sendPacket } from './send.ts'
import { isLive, protocolOf, setAnswered, wakeBy } from './state.ts'
import type { KnownMember, Probe, State } from './state.ts'
import { applySuspect } from './suspect-rule.ts'

/** From these protocol versions on a member answers a ping on a stream, and says when its own indirect ping failed. */
const streamPingProtocol = 3
const nackProtocol = 4

export function ourselves(state: State): ProbeSource {
  return { address: state.self.address, node: state.self.name }
}

/** Starts the next round if it is time, and moves the running one on. */
export function runProbe(state: State): void {
  const { probe } = state
  if (probe === undefined) {
    if (state.due.probe <= state.now) startRound(state)
  } else if (probe.deadline <= state.now) {
    finishLate(state, probe)
    if (state.due.probe <= state.now) startRound(state)
  } else if (probe.phase === 'direct' && probe.directUntil <= state.now) askOthers(state, probe)
}

function startRound(state: State): void {
  const { probeIntervalMs, probeTimeoutMs } = state.config
  const interval = probeIntervalMs * (state.awareness.score + 1)
  state.due.probe = state.now + probeIntervalMs
  wakeBy(state, state.due.probe)
  if (state.phase !== 'running') return
  const target = nextToProbe(state, member => member !== state.self && isLive(member))
  if (target === undefined) return
  state.seqNo = next(state.seqNo)
  const probe: Probe = {
    seqNo: state.seqNo,
    target,
    incarnation: target.incarnation,
    phase: 'direct',
    directUntil: state.now + probeTimeoutMs,
    deadline: state.now + interval,
    nacksExpected: 0,
    nacksHeard: 0,
    reachedByStream: false,
  }
  state.probe = probe
  state.stats.probes++
  wakeBy(state, probe.directUntil)
  wakeBy(state, probe.deadline)
  const ping: Ping = { kind: 'ping', seqNo: probe.seqNo, node: target.name, source: ourselves(state) }
  sendPacket(state, target.address, withAccusation(state, ping, target), protocolOf(target))
}

/** A member we hold for gone or suspect hears what we hold against it together with the message, and can refute at once. */
export function withAccusation(
  state: State,
  message: PacketMessage,
  member: KnownMember | undefined,
): readonly PacketMessage[] {
  if (member === undefined || member.status === 'alive' || member === state.self) return [message]
  return [message, accusationOf(state, member)]
}

/** What we hold against a member that is not alive for us. */
export function accusationOf(state: State, { name: node, incarnation, status }: KnownMember): PacketMessage {
  const kind = status === 'suspect' ? 'suspect' : 'dead'
  return { kind, node, incarnation, from: status === 'left' ? node : state.self.name }
}

function askOthers(state: State, probe: Probe): void {
  const { target, seqNo } = probe
  probe.phase = 'indirect'
  const fits = (peer: KnownMember): boolean => peer !== state.self && peer !== target && peer.status === 'alive'
  for (const peer of pickAnswering(state, state.config.indirectProbes, fits)) {
    const wantsNack = protocolOf(peer) >= nackProtocol
    // Of a mere name no answer can be missed.
    if (wantsNack && peer.answered) probe.nacksExpected++
    const { address, name: node } = target
    const request = { seqNo, target: address, node, wantsNack, source: ourselves(state) }
    sendPacket(state, peer.address, [{ kind: 'indirectPing', ...request }], protocolOf(peer))
  }
  if (protocolOf(target) < streamPingProtocol) return
  // UDP alone may be what is broken. The attempt must not outlive the round.
  dial(state, target.address, { kind: 'ping', seqNo, node: target.name })
}

/** The time is up. A nack that stayed away says that the trouble may be ours. */
function finishLate(state: State, probe: Probe): void {
  if (probe.reachedByStream) return succeed(state, probe)
  const { target, incarnation, nacksExpected, nacksHeard } = probe
  // The silence of a mere name says nothing about us; forged ones would soon make us the slowest judge of all.
  if (target.answered) state.awareness.adjust(nacksExpected > 0 ? Math.max(0, nacksExpected - nacksHeard) : 1)
  state.stats.probeFailures++
  endRound(state, probe)
  applySuspect(state, { kind: 'suspect', node: target.name, incarnation, from: state.self.name })
}

function succeed(state: State, probe: Probe): void {
  setAnswered(state, probe.target, true)
  state.awareness.adjust(-1)
  endRound(state, probe)
}

function endRound(state: State, probe: Probe): void {
  state.probe = undefined
  for (const [stream, exchange] of state.exchanges)
    if (exchange.kind === 'ping' && exchange.seqNo === probe.seqNo) closeExchange(state, stream, exchange)
}

/** False when no probe of ours waits for this answer. */
export function probeAcked(state: State, seqNo: number): boolean {
  if (state.probe?.seqNo !== seqNo) return false
  succeed(state, state.probe)
  return true
}

export function probeNacked(state: State, seqNo: number): void {
  if (state.probe?.seqNo === seqNo) state.probe.nacksHeard++
}

/** Counts at the end of the round only: contact over TCP alone is a poor sign, an indirect answer a better one. */
export function probeReachedByStream(state: State, seqNo: number): void {
  if (state.probe?.seqNo === seqNo) state.probe.reachedByStream = true
}

/** The network says nobody is there: no use in waiting for the direct answer. */
export function probeUndeliverable(state: State, to: Address): void {
  const { probe } = state
  if (probe?.phase === 'direct' && sameAddress(probe.target.address, to)) askOthers(state, probe)
}

export function cancelProbe(state: State): void {
  if (state.probe !== undefined) endRound(state, state.probe)
}
