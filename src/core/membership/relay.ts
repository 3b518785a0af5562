/**
 * Pinging a member on somebody else's behalf. The answer goes back under the asker's own number; silence is reported as a
 * nack while the asker still waits, so that it can tell a dead target from its own bad link. Bounded.
 */
import type { Address } from '../../kernel/units.ts'
import { next } from './counter.ts'
import type { IndirectPing } from './messages.ts'
import { ourselves } from './probe.ts'
import { sendAnswer } from './send.ts'
import { protocolOf, refuse, wakeBy } from './state.ts'
import type { State } from './state.ts'

const nothing = new Uint8Array(0)

/**
 * The asker's round ends one probe timeout after it asked, so a nack sent only then loses the race. Lifeguard's share; an
 * ack that comes in the rest of the time is still handed on.
 */
const nackShare = 0.8

export function serveIndirectPing(state: State, asked: IndirectPing, from: Address): void {
  if (state.relays.size >= state.config.relaysMax)
    return refuse(state, from, 'overflow', 'too many indirect pings at once')
  const asker = asked.source?.address ?? from
  // Nobody makes us send anything to places that we would not talk with ourselves.
  if (!state.allows(asker.ip) || !state.allows(asked.target.ip))
    return refuse(state, from, 'foreignSource', `an indirect ping of ${asked.target.ip} for ${asker.ip}`)
  const port = asked.target.port === 0 ? state.self.address.port : asked.target.port
  const { probeTimeoutMs } = state.config
  const deadline = state.now + probeTimeoutMs
  const nackAt = asked.wantsNack ? state.now + nackShare * probeTimeoutMs : undefined
  state.seqNo = next(state.seqNo)
  state.relays.set(state.seqNo, { seqNo: asked.seqNo, asker, nackAt, deadline })
  wakeBy(state, nackAt ?? deadline)
  const ping = { seqNo: state.seqNo, node: asked.node, source: ourselves(state) }
  const protocol = protocolOf(state.members.get(asked.node))
  sendAnswer(state, { ip: asked.target.ip, port }, [{ kind: 'ping', ...ping }], protocol)
}

export function relayAck(state: State, seqNo: number): void {
  const relay = state.relays.get(seqNo)
  if (relay === undefined) return
  state.relays.delete(seqNo)
  sendAnswer(state, relay.asker, [{ kind: 'ack', seqNo: relay.seqNo, payload: nothing }], 0)
}

export function expireRelays(state: State): void {
  for (const [seqNo, relay] of state.relays) {
    if (relay.deadline <= state.now) state.relays.delete(seqNo)
    if (relay.nackAt === undefined || relay.nackAt > state.now) continue
    relay.nackAt = undefined
    sendAnswer(state, relay.asker, [{ kind: 'nack', seqNo: relay.seqNo }], 0)
  }
}
