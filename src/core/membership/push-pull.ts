/**
 * Whole states, exchanged over a stream now and then: what gossip lost comes home here, joining is done here, and two
 * halves of a healed partition meet here. Both sides send their own state as it was before taking in the other's.
 * A remote `dead` is only a suspicion to us, so that its subject gets its chance to answer.
 */
import { formatAddress, sameAddress } from '../../kernel/units.ts'
import type { Address } from '../../kernel/units.ts'
import { applyAlive, reportConflict } from './alive-rule.ts'
import { incompatibility } from './compatibility.ts'
import { applyDead } from './dead-rule.ts'
import { dial } from './exchanges.ts'
import type { NodeState, PushPull } from './messages.ts'
import { isBearer, vouch } from './newcomers.ts'
import { pickAnswering } from './peers.ts'
import { pushPullInterval } from './scaling.ts'
import { emit, refuse, wakeBy } from './state.ts'
import type { State } from './state.ts'
import { encodePushPull } from './stream-codec.ts'
import { applySuspect } from './suspect-rule.ts'

export function runPushPull(state: State): void {
  if (state.due.pushPull > state.now) return
  state.due.pushPull = state.now + pushPullInterval(state.config.pushPullIntervalMs, state.roster.length)
  wakeBy(state, state.due.pushPull)
  if (state.phase !== 'running') return
  const fits = (member: NodeState): boolean => member !== state.self && member.status === 'alive'
  for (const member of pickAnswering(state, 1, fits)) startPushPull(state, member.address, false)
}

export function startPushPull(state: State, peer: Address, join: boolean): void {
  if (!dial(state, peer, { kind: 'pushPull', join })) finishPushPull(state, peer, join, 'too many streams are open')
}

export function encodeOurState(state: State, join: boolean): Uint8Array {
  const userState = state.application.localState(join)
  return encodePushPull({ join, nodes: [...state.members.values()], userState })
}

/**
 * Why this state cannot be taken in beside ours, or undefined. memberlist judges both lists as one, but each member here
 * is judged beside us alone: else two forged ones that could not talk with each other would end every push/pull.
 */
export function objection({ self }: State, remote: PushPull): string | undefined {
  for (const node of remote.nodes) {
    const reason = incompatibility([self, node])
    if (reason !== undefined) return reason
  }
  return undefined
}

/**
 * Why a peer that offers its state must be kept out whole, or undefined: it goes by the name of a member that is alive
 * elsewhere. Its place in the list of members it would not get anyway; its application state, told under that name, would
 * take turns with the real one. A suspect does not hold its name against it: a node that moved must get in.
 */
export function nameTaken(state: State, remote: PushPull, from: Address): string | undefined {
  for (const { name, address, status } of remote.nodes) {
    const known = state.members.get(name)
    const isTheSender = status === 'alive' && address.port !== 0 && address.ip === from.ip
    if (!isTheSender || known?.status !== 'alive' || sameAddress(known.address, address)) continue
    reportConflict(state, known, address)
    return `the name ${name} belongs to ${formatAddress(known.address)}, which is alive; give this node another name`
  }
  return undefined
}

/** `asked`: we dialled; `from` is then where the peer listens, else only where its connection came from. */
export function takeIn(state: State, remote: PushPull, from: Address, asked: boolean): void {
  for (const node of remote.nodes) mergeNode(state, node, from, asked)
  vouch(state, address => (asked ? sameAddress(address, from) : address.ip === from.ip))
  if (remote.userState.length === 0) return
  emit(state, { kind: 'remoteState', from, bytes: remote.userState, join: remote.join })
}

function mergeNode(state: State, { name: node, status, ...rest }: NodeState, from: Address, asked: boolean): void {
  const { incarnation, address } = rest
  switch (status) {
    case 'alive':
      return applyAlive(state, { kind: 'alive', node, ...rest }, from, asked || isBearer(state, address, from))
    case 'left':
      return applyDead(state, { kind: 'dead', node, incarnation, from: node })
    case 'suspect':
    case 'dead':
      return applySuspect(state, { kind: 'suspect', node, incarnation, from: state.self.name })
    default:
      return refuse(state, from, 'malformed', `unknown status of ${node}`)
  }
}

/** Tells how an exchange that we began has ended. */
export function finishPushPull(state: State, peer: Address, join: boolean, failure: string | undefined): void {
  const outcome = failure === undefined ? { ok: true } : { ok: false, reason: failure }
  emit(state, { kind: 'pushPullFinished', with: peer, ...outcome })
  if (join) emit(state, { kind: 'joinFinished', address: peer, ...outcome })
}
