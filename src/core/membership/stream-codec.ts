/**
 * Messages → streams, byte for byte as memberlist's peers write them; the way back is stream-decoder.ts.
 */
import { concatBytes } from '../../kernel/bytes.ts'
import { encodeMessage } from './codec.ts'
import { messageType } from './messages.ts'
import type { Ack, Ping, PushPull } from './messages.ts'
import { createWriter } from './msgpack-writer.ts'
import { writeNodeState, writeStruct } from './structs.ts'

export { createStreamDecoder } from './stream-decoder.ts'
export type { StreamDecoder } from './stream-decoder.ts'

export function encodePushPull(state: Omit<PushPull, 'kind'>): Uint8Array {
  const writer = createWriter()
  writer.verbatim(Uint8Array.of(messageType.pushPull))
  writeStruct(writer, [
    ['Join', state.join],
    ['Nodes', state.nodes.length],
    ['UserStateLen', state.userState.length],
  ])
  for (const node of state.nodes) writeNodeState(writer, node)
  writer.verbatim(state.userState)
  return writer.finish()
}

export function encodeStreamUser(bytes: Uint8Array): Uint8Array {
  const writer = createWriter()
  writer.verbatim(Uint8Array.of(messageType.user))
  writeStruct(writer, [['UserMsgLen', bytes.length]])
  return concatBytes([writer.finish(), bytes])
}

/** Ping and ack are the same on a stream as in a packet. */
export const encodeStreamPing: (ping: Ping) => Uint8Array = encodeMessage
export const encodeStreamAck: (ack: Ack) => Uint8Array = encodeMessage

export function encodeStreamError(text: string): Uint8Array {
  const writer = createWriter()
  writer.verbatim(Uint8Array.of(messageType.error))
  writeStruct(writer, [['Error', text]])
  return writer.finish()
}
