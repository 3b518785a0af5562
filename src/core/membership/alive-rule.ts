/**
 * What an `alive` message changes. It beats any older rumour by its incarnation; it never moves a member that lives
 * elsewhere under the same name. The same rule serves gossip and push/pull.
 */
import { equalBytes } from '../../kernel/bytes.ts'
import { isNodeName, sameAddress } from '../../kernel/units.ts'
import type { Address } from '../../kernel/units.ts'
import { encodeMessage } from './codec.ts'
import { incompatibility } from './compatibility.ts'
import { isFresher } from './counter.ts'
import type { Alive } from './messages.ts'
import { mayAdmit } from './newcomers.ts'
import { enlist } from './peers.ts'
import { accusationOf } from './probe.ts'
import { refute } from './refutation.ts'
import { sendAnswer } from './send.ts'
import {
  announce,
  createMember,
  emit,
  isLive,
  protocolOf,
  refuse,
  setAnswered,
  setStatus,
  setSuspicion,
} from './state.ts'
import type { KnownMember, State } from './state.ts'

/** `welcome`: it is part of an answer to a question of ours, or the bearer's own word; see newcomers.ts. */
export function applyAlive(state: State, heard: Alive, from: Address, welcome = false): void {
  if (!isAcceptable(state, heard, from)) return
  const alive = heard.address.port === 0 ? withOurPort(state, heard) : heard
  const known = state.members.get(alive.node)
  if (known === state.self) applyAliveAboutUs(state, alive)
  else if (known === undefined) admit(state, alive, from, welcome)
  else renew(state, known, alive)
}

/** Protocol 1 leaves the port out: everybody listens on the same one. */
function withOurPort(state: State, heard: Alive): Alive {
  return { ...heard, address: { ip: heard.address.ip, port: state.self.address.port } }
}

function isAcceptable(state: State, heard: Alive, from: Address): boolean {
  const { node, address, meta, versions } = heard
  const [least, most] = versions
  if (!isNodeName(node)) refuse(state, from, 'malformed', `alive about an impossible name ${JSON.stringify(node)}`)
  else if (meta.length > state.config.metaMaxBytes) refuse(state, from, 'tooLarge', `metadata of ${node}`)
  // A peer that tells fewer than three versions tells none that could be checked.
  else if (versions.length >= 3 && (!least || !most || least > most))
    refuse(state, from, 'incompatibleVersion', `${node} claims protocols ${least} to ${most}`)
  else if (node !== state.self.name && !state.allows(address.ip))
    refuse(state, from, 'foreignSource', `${node} is said to live at ${address.ip}`)
  else return isCompatible(state, heard, from)
  return false
}

/** One that nobody could talk with would make every later push/pull fail, for there every member told is judged. */
function isCompatible(state: State, { node, versions }: Alive, from: Address): boolean {
  const { self } = state
  if (node === self.name) return true
  const objection = incompatibility([self, { name: node, status: 'alive', versions }])
  if (objection !== undefined) refuse(state, from, 'incompatibleVersion', objection)
  return objection === undefined
}

/**
 * Our own past after a restart, or somebody who uses our name. With our address too (two processes behind one NAT) neither
 * could ever win, so it is answered only now and then; a different address is nobody's business but the operator's.
 */
function applyAliveAboutUs(state: State, alive: Alive): void {
  const { self } = state
  if (state.phase !== 'running') return
  if (!sameAddress(alive.address, self.address)) return reportConflict(state, self, alive.address)
  if (isFresher(self.incarnation, alive.incarnation)) return
  if (alive.incarnation === self.incarnation && saysTheSame(self, alive)) return
  if (mayAnswerTwin(state)) refute(state, alive.incarnation)
}

function mayAnswerTwin(state: State): boolean {
  const { twinAnswersMax, twinIntervalMs } = state.config
  const paidUntil = Math.max(state.twinPaidUntil, state.now) + twinIntervalMs
  if (paidUntil - state.now > twinAnswersMax * twinIntervalMs) return false
  state.twinPaidUntil = paidUntil
  return true
}

function admit(state: State, alive: Alive, from: Address, welcome: boolean): void {
  if (!mayAdmit(state, alive.node, from, welcome)) return
  const { node: name, address, meta, versions, incarnation } = alive
  const member = createMember({ name, address, meta, versions, incarnation, status: 'alive', statusSince: state.now })
  state.members.set(name, member)
  enlist(state, member)
  state.news.queue(name, encodeMessage(alive))
  announce(state, member, undefined)
}

function renew(state: State, member: KnownMember, alive: Alive): void {
  const moved = !sameAddress(alive.address, member.address)
  if (moved && !mayMove(state, member)) return reportConflict(state, member, alive.address)
  if (!moved && !isFresher(alive.incarnation, member.incarnation)) return confront(state, member, alive)
  const previous = member.status
  const changed = moved || previous !== 'alive' || !saysTheSame(member, alive)
  // A process that was started anew looks the same from here; how often that happens is known.
  if (!moved && (previous === 'suspect' || previous === 'dead')) state.stats.falsePositives++
  if (moved || !isLive(member)) setAnswered(state, member, false)
  setSuspicion(state, member, undefined)
  member.incarnation = alive.incarnation
  member.address = alive.address
  member.meta = alive.meta
  member.versions = alive.versions
  setStatus(state, member, 'alive')
  enlist(state, member)
  state.news.queue(member.name, encodeMessage(alive))
  if (changed) announce(state, member, previous)
}

/**
 * Old news, or a process that was started anew and counts from one again: it does not know yet what it has to refute, and
 * if nobody told it before the end of a suspicion it would be called dead everywhere.
 */
function confront(state: State, member: KnownMember, alive: Alive): void {
  if (alive.incarnation !== member.incarnation) return
  if (member.status === 'alive') return contradict(state, member, alive)
  sendAnswer(state, member.address, [accusationOf(state, member)], protocolOf(member))
}

/**
 * Two lives of a member that counted to the same number and say different things: neither beats the other, so the member
 * hears what we hold and outbids both. Otherwise that waits until it meets one who holds the old (gossip seed 791).
 */
function contradict(state: State, member: KnownMember, alive: Alive): void {
  if (saysTheSame(member, alive)) return
  const { name: node, address, meta, incarnation, versions } = member
  sendAnswer(state, address, [{ kind: 'alive', node, address, meta, incarnation, versions }], protocolOf(member))
}

/** Whoever left has freed its name; the dead have after a while, as their address may have changed with their restart. */
function mayMove(state: State, member: KnownMember): boolean {
  if (isLive(member)) return false
  return member.status === 'left' || state.now - member.statusSince > state.config.deadReclaimMs
}

function saysTheSame(member: KnownMember, alive: Alive): boolean {
  return equalBytes(member.meta, alive.meta) && equalBytes(member.versions, alive.versions)
}

/** At most now and then: whoever uses a name twice does not stop asking. */
export function reportConflict(state: State, member: KnownMember, other: Address): void {
  if (state.now - member.conflictReportedAt < state.config.conflictIntervalMs) return
  member.conflictReportedAt = state.now
  emit(state, { kind: 'nameConflict', name: member.name, known: member.address, other })
}
