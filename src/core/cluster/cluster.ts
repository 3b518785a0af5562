/**
 * Membership and registry as one machine. News of the registry become broadcasts of the membership, messages and states
 * that arrive become inputs of the registry, and who comes and goes is told to it. Nothing of that leaves the machine.
 * Whatever drives it, sockets or the simulator, drives all of it.
 */
import { unreachable } from '../../kernel/invariant.ts'
import type { Prng } from '../../kernel/prng.ts'
import { isNodeName } from '../../kernel/units.ts'
import type { Address, Millis, NodeName } from '../../kernel/units.ts'
import { broadcastBytesMax, createMembership } from '../membership/index.ts'
import type { Input, MembershipSettings, MemberStatus, Output } from '../membership/index.ts'
import { createRegistry, decodeProfile } from '../registry/index.ts'
import type { RegistryInput, RegistryOutput } from '../registry/index.ts'
import { isKeyMessage } from './key-messages.ts'
import type { Fingerprint } from './keyring.ts'
import { createKeys } from './keys.ts'
import type { KeysInput, KeysOutput } from './keys.ts'
import type { ClusterInput, ClusterMachine, ClusterOutput, Heard } from './types.ts'

export interface ClusterMachineSettings extends MembershipSettings {
  readonly name: NodeName
  /** Names keys. Without it the keyring stays as it is. */
  readonly fingerprint?: Fingerprint
}

/**
 * What a registry message may weigh to be gossiped: a little less than a packet holds, so that others ride along. Less when
 * a long label takes its share of every packet.
 */
const registryMessageBytesMax = 1_000

/**
 * How many are told of a large record that a push/pull brought. In a mended cut half of them know it already, and nobody
 * can say which half: of forty clusters of two halves of eight, three at a time left somebody out in one, five in none.
 */
const toldAtOnce = 5

export function createClusterMachine(settings: ClusterMachineSettings, prng: Prng): ClusterMachine {
  const self = settings.name
  const broadcastSizeBytesMax = Math.min(registryMessageBytesMax, broadcastBytesMax(settings))
  const registry = createRegistry({ owner: self, broadcastSizeBytesMax })
  const membership = createMembership(settings, { localState }, prng)
  const { security, fingerprint } = settings
  const keys = createKeys({
    self,
    keyring: security?.keyring ?? [],
    enforced: security !== undefined && security.verifyIncoming && security.verifyOutgoing,
    fingerprint,
  })
  let now: Millis = 0
  let outputs: ClusterOutput[] = []
  let started = false

  function localState(join: boolean): Uint8Array {
    const { bytes, omitted } = registry.localState(now, join)
    if (omitted > 0) outputs.push({ kind: 'stateOmitted', sections: omitted })
    return bytes
  }

  function tellMembership(input: Input): void {
    for (const output of membership.step(input)) onMembership(output)
  }

  function tellRegistry(input: RegistryInput, heard?: Heard): void {
    for (const output of registry.step(input)) onRegistry(output, heard)
  }

  function tellKeys(input: KeysInput, from?: Address): void {
    for (const output of keys.step(input)) onKeys(output, from)
  }

  function onMembership(output: Output): void {
    if (output.kind === 'userMessage') {
      if (isKeyMessage(output.bytes))
        return tellKeys({ kind: 'heard', bytes: output.bytes, via: output.via }, output.from)
      const via = output.via === 'packet' ? 'gossip' : 'direct'
      return tellRegistry({ kind: 'deltaReceived', now, bytes: output.bytes }, { from: output.from, via })
    }
    if (output.kind === 'remoteState')
      return tellRegistry(
        { kind: 'stateReceived', now, bytes: output.bytes, join: output.join },
        { from: output.from, via: 'pushPull' },
      )
    outputs.push(output)
    if (output.kind === 'memberChanged' && output.member.name !== self)
      tellOfMember(output.member.status === 'left' ? 'memberGone' : 'memberPresent', output.member.name)
    else if (output.kind === 'memberForgotten') tellOfMember('memberGone', output.name)
  }

  /** Foreign peers may have names that no node of ours can have. */
  function tellOfMember(kind: 'memberPresent' | 'memberGone', name: string): void {
    if (isNodeName(name)) tellRegistry({ kind, now, name })
  }

  function onRegistry(output: RegistryOutput, heard: Heard | undefined): void {
    switch (output.kind) {
      case 'broadcast':
        if (started) tellMembership({ kind: 'broadcast', now, name: output.name, message: output.message })
        return
      case 'withdraw':
        if (started) tellMembership({ kind: 'broadcastsWithdrawn', now, names: output.names })
        return
      case 'broadcastReliably':
        if (started) tellMembership({ kind: 'broadcastReliably', now, message: output.message })
        return
      case 'tellSome':
        if (started) tellSome(output.message, output.except)
        return
      case 'sendTo':
        if (started) answerPeer(output.to, output.message, heard)
        return
      case 'sectionChanged':
        outputs.push(heard === undefined ? output : { ...output, heard })
        return
      case 'persistEpoch':
        outputs.push(output)
        return
      case 'refused':
        outputs.push({ ...output, kind: 'recordsRefused' })
        return
      default:
        return unreachable(output)
    }
  }

  /** A state names its sender, and could name anybody: only who lives where it came from is sent what is missing there. */
  function answerPeer(to: NodeName, message: Uint8Array, heard: Heard | undefined): void {
    const askedFrom = heard === undefined ? {} : { askedFrom: heard.from }
    tellMembership({ kind: 'sendReliably', now, to, message, ...askedFrom })
  }

  /** What foreign peers could not read they are not told. */
  function tellSome(message: Uint8Array, except: readonly NodeName[]): void {
    const among = peers(['alive', 'suspect']).filter(name => !except.includes(name))
    tellMembership({ kind: 'sendToSome', now, among, count: toldAtOnce, message })
  }

  function onKeys(output: KeysOutput, from: Address = settings.address): void {
    switch (output.kind) {
      case 'send':
        return tellMembership({ kind: 'sendReliably', now, to: output.to, message: output.message })
      case 'use':
        return tellMembership({ kind: 'keyringChanged', now, keyring: output.keyring })
      case 'asked':
        outputs.push({ kind: 'keyRequestSent', id: output.id, to: output.nodes })
        return
      case 'keep':
        outputs.push({ kind: 'keyringChanged', keyring: output.keyring })
        return
      case 'reply':
        outputs.push({ ...output, kind: 'keyReply' })
        return
      case 'refused':
        outputs.push({ ...output, from })
        return
      default:
        return unreachable(output)
    }
  }

  /** Foreign peers know nothing of our requests, nor of our records. */
  function peers(statuses: readonly MemberStatus[]): readonly NodeName[] {
    return membership
      .members()
      .filter(({ status, meta }) => statuses.includes(status) && decodeProfile(meta) !== undefined)
      .flatMap(({ name }) => (name !== self && isNodeName(name) ? [name] : []))
  }

  function apply(input: ClusterInput): void {
    if (input.kind === 'tick') {
      if (isDue(registry.nextDeadline())) tellRegistry(input)
      if (isDue(membership.nextDeadline())) tellMembership(input)
    } else if (input.kind === 'epochLoaded' || input.kind === 'published' || input.kind === 'completed') {
      tellRegistry(input)
    } else if (input.kind === 'keyRequest') {
      const { id, operation, only } = input
      if (only === undefined) tellKeys({ kind: 'ask', id, operation, others: peers(['alive']) })
      else tellKeys({ kind: 'askAgain', id, operation, others: only })
    } else if (input.kind === 'keyringKept') {
      tellKeys({ kind: 'kept', ...(input.problem === undefined ? {} : { problem: input.problem }) })
    } else {
      started ||= input.kind === 'started'
      tellMembership(input)
    }
  }

  function isDue(deadline: Millis | undefined): boolean {
    return deadline !== undefined && deadline <= now
  }

  return {
    step(input) {
      now = Math.max(now, input.now)
      outputs = []
      apply(input)
      return outputs
    },
    nextDeadline: () => earlier(registry.nextDeadline(), membership.nextDeadline()),
    members: () => membership.members(),
    sections: () => registry.sections(),
    stats: () => membership.stats(),
  }
}

function earlier(a: Millis | undefined, b: Millis | undefined): Millis | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}
