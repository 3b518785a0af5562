/**
 * What is said on streams: answers to those that others open, and the ends of our own errands. Every exchange ends by its
 * deadline, whatever the other side does; one that breaks off half-way has changed nothing.
 */
import { unreachable } from '../../kernel/invariant.ts'
import type { Address } from '../../kernel/units.ts'
import { closeExchange, dial, dropExchange, mayHold, openExchange, write } from './exchanges.ts'
import type { Ping, PushPull, StreamMessage } from './messages.ts'
import { ourselves, probeReachedByStream } from './probe.ts'
import { pickAnswering } from './peers.ts'
import { encodeOurState, finishPushPull, nameTaken, objection, takeIn } from './push-pull.ts'
import { emit, isLive, refuse, wakeBy } from './state.ts'
import type { Exchange, KnownMember, State } from './state.ts'
import { encodeStreamAck, encodeStreamError, encodeStreamPing, encodeStreamUser } from './stream-codec.ts'
import type { RefusalReason, StreamId } from './types.ts'

const nothing = new Uint8Array(0)

export function streamAccepted(state: State, stream: StreamId, from: Address): void {
  const isForeign = !state.allows(from.ip)
  if (!isForeign && state.inboundStreams < state.config.inboundStreamsMax)
    return openExchange(state, stream, from, { kind: 'inbound' })
  if (isForeign) refuse(state, from, 'foreignSource', 'a stream')
  else refuse(state, from, 'overflow', 'too many streams at once')
  emit(state, { kind: 'closeStream', stream })
}

export function streamConnected(state: State, stream: StreamId): void {
  const exchange = state.exchanges.get(stream)
  if (exchange === undefined || exchange.kind === 'inbound') return
  exchange.deadline = state.now + state.config.streamTimeoutMs
  wakeBy(state, exchange.deadline)
  switch (exchange.kind) {
    case 'pushPull':
      return write(state, stream, exchange, encodeOurState(state, exchange.join))
    case 'ping': {
      const { seqNo, node } = exchange
      return write(state, stream, exchange, encodeStreamPing({ kind: 'ping', seqNo, node, source: ourselves(state) }))
    }
    case 'user':
      write(state, stream, exchange, exchange.message)
      return closeExchange(state, stream, exchange)
    default:
      return unreachable(exchange)
  }
}

export function streamData(state: State, stream: StreamId, bytes: Uint8Array): void {
  const exchange = state.exchanges.get(stream)
  if (exchange === undefined) return
  state.stats.bytesReceived += bytes.length
  if (!mayHold(state, exchange, bytes.length))
    return abandon(state, stream, exchange, 'overflow', 'the streams of others hold too much already')
  const pushed = exchange.decoder.push(bytes)
  if (!pushed.ok) return abandon(state, stream, exchange, pushed.error.reason, pushed.error.detail)
  const message = pushed.value
  if (message === undefined) return
  for (const { reason, detail } of exchange.decoder.skipped) refuse(state, exchange.peer, reason, detail)
  if (exchange.kind === 'inbound') answer(state, stream, exchange, message)
  else conclude(state, stream, exchange, message)
}

/** The other side has gone before we were done. */
export function streamClosed(state: State, stream: StreamId, reason: string | undefined): void {
  const exchange = state.exchanges.get(stream)
  if (exchange === undefined) return
  dropExchange(state, stream, exchange)
  if (exchange.kind === 'pushPull')
    finishPushPull(state, exchange.peer, exchange.join, reason ?? 'the stream ended early')
}

export function expireExchanges(state: State): void {
  for (const [stream, exchange] of state.exchanges)
    if (exchange.deadline <= state.now)
      abandon(state, stream, exchange, 'timeout', `no end after ${state.config.streamTimeoutMs} ms`)
}

/** One user message to every alive member; should there be more of them than streams, mere names go without. */
export function broadcastReliably(state: State, message: Uint8Array): void {
  const answered = state.roster.filter(member => member.answered)
  const strangers = state.roster.filter(member => !member.answered)
  for (const { name } of [...answered, ...strangers]) sendReliably(state, name, message)
}

export function sendToSome(state: State, among: readonly string[], count: number, message: Uint8Array): void {
  const names = new Set(among)
  // When a cut heals, the word of the other side makes us suspect all who were on ours: just those that need to be told.
  const fits = (member: KnownMember): boolean => member !== state.self && isLive(member) && names.has(member.name)
  for (const member of pickAnswering(state, count, fits)) tell(state, member, message)
}

export function sendReliably(state: State, to: string, message: Uint8Array, askedFrom?: Address): void {
  const member = state.members.get(to)
  if (member === undefined || member === state.self || member.status !== 'alive') return
  if (askedFrom !== undefined && askedFrom.ip !== member.address.ip)
    return refuse(state, askedFrom, 'malformed', `asks in the name of ${to}, who lives elsewhere`)
  tell(state, member, message)
}

function tell(state: State, { address }: KnownMember, message: Uint8Array): void {
  if (!dial(state, address, { kind: 'user', message: encodeStreamUser(message) }))
    refuse(state, address, 'overflow', 'too many streams are open for a message over TCP')
}

function answer(state: State, stream: StreamId, exchange: Exchange, message: StreamMessage): void {
  switch (message.kind) {
    case 'pushPull':
      return answerPushPull(state, stream, exchange, message)
    case 'ping':
      if (isForUs(state, message)) {
        const ack = encodeStreamAck({ kind: 'ack', seqNo: message.seqNo, payload: nothing })
        write(state, stream, exchange, ack)
      }
      return closeExchange(state, stream, exchange)
    case 'streamUser':
      emit(state, { kind: 'userMessage', from: exchange.peer, bytes: message.bytes, via: 'stream' })
      return closeExchange(state, stream, exchange)
    case 'ack':
    case 'error':
      return abandon(state, stream, exchange, 'malformed', `a stream opened with ${message.kind}`)
    default:
      return unreachable(message)
  }
}

function answerPushPull(state: State, stream: StreamId, exchange: Exchange, remote: PushPull): void {
  const taken = nameTaken(state, remote, exchange.peer)
  const reason = taken ?? objection(state, remote)
  const reply = reason === undefined ? encodeOurState(state, remote.join) : encodeStreamError(reason)
  write(state, stream, exchange, reply)
  closeExchange(state, stream, exchange)
  if (reason === undefined) takeIn(state, remote, exchange.peer, false)
  else refuse(state, exchange.peer, taken === undefined ? 'incompatibleVersion' : 'nameTaken', reason)
  finishPushPull(state, exchange.peer, false, reason)
}

function conclude(state: State, stream: StreamId, exchange: Exchange, message: StreamMessage): void {
  if (exchange.kind === 'pushPull' && message.kind === 'pushPull') {
    const reason = objection(state, message)
    if (reason !== undefined) return abandon(state, stream, exchange, 'incompatibleVersion', reason)
    closeExchange(state, stream, exchange)
    takeIn(state, message, exchange.peer, true)
    finishPushPull(state, exchange.peer, exchange.join, undefined)
  } else if (exchange.kind === 'pushPull' && message.kind === 'error') {
    closeExchange(state, stream, exchange)
    finishPushPull(state, exchange.peer, exchange.join, `refused by the peer: ${message.text}`)
  } else if (exchange.kind === 'ping' && message.kind === 'ack' && message.seqNo === exchange.seqNo) {
    closeExchange(state, stream, exchange)
    probeReachedByStream(state, exchange.seqNo)
  } else abandon(state, stream, exchange, 'malformed', `${message.kind} as an answer`)
}

function abandon(state: State, stream: StreamId, exchange: Exchange, reason: RefusalReason, detail: string): void {
  closeExchange(state, stream, exchange)
  refuse(state, exchange.peer, reason, detail)
  if (exchange.kind === 'pushPull') finishPushPull(state, exchange.peer, exchange.join, detail)
}

/** A restarted process under another name on the same address must not vouch for its predecessor. */
function isForUs(state: State, ping: Ping): boolean {
  return ping.node === '' || ping.node === state.self.name
}
