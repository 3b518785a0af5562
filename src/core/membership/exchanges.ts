/**
 * The streams in progress: one exchange each, with a deadline. Bounded in both directions. What is said on them is
 * decided in streams.ts.
 */
import type { Address } from '../../kernel/units.ts'
import { emit, wakeBy } from './state.ts'
import type { Errand, Exchange, State } from './state.ts'
import { createStreamDecoder } from './stream-codec.ts'
import type { StreamId } from './types.ts'
import { wrapStream } from './wrap.ts'

/** False when too many streams of ours are open already. */
export function dial(state: State, peer: Address, errand: Errand): boolean {
  if (state.exchanges.size - state.inboundStreams >= state.config.outboundStreamsMax) return false
  const stream = `out-${++state.streamsOpened}`
  openExchange(state, stream, peer, errand)
  emit(state, { kind: 'dialStream', stream, to: peer })
  return true
}

export function openExchange(state: State, stream: StreamId, peer: Address, errand: Errand): void {
  const deadline = state.now + state.config.streamTimeoutMs
  const { protection } = state
  const writtenBy = errand.kind === 'inbound' ? 'opener' : 'answerer'
  const decoder = createStreamDecoder(state.config.streamLimits, protection, writtenBy)
  state.exchanges.set(stream, { ...errand, peer, deadline, decoder, protection, heldBytes: 0 })
  if (errand.kind === 'inbound') state.inboundStreams++
  wakeBy(state, deadline)
}

/** Counts what has arrived; false when the streams of others would hold more in all than they may. */
export function mayHold(state: State, exchange: Exchange, sizeBytes: number): boolean {
  if (exchange.kind !== 'inbound') return true
  if (state.inboundBytes + sizeBytes > state.config.inboundBytesMax) return false
  exchange.heldBytes += sizeBytes
  state.inboundBytes += sizeBytes
  return true
}

/** The other side has closed, or we are about to say so; nothing more will be heard of this stream. */
export function dropExchange(state: State, stream: StreamId, exchange: Exchange): void {
  if (!state.exchanges.delete(stream) || exchange.kind !== 'inbound') return
  state.inboundStreams--
  state.inboundBytes -= exchange.heldBytes
}

export function closeExchange(state: State, stream: StreamId, exchange: Exchange): void {
  dropExchange(state, stream, exchange)
  emit(state, { kind: 'closeStream', stream })
}

/** One message, which is all that one side of a stream ever says. */
export function write(state: State, stream: StreamId, { kind, protection }: Exchange, message: Uint8Array): void {
  const side = kind === 'inbound' ? 'answerer' : 'opener'
  const bytes = wrapStream(message, side, { protection, compress: state.config.compressStreams })
  state.stats.bytesSent += bytes.length
  emit(state, { kind: 'writeStream', stream, bytes })
}
