/** One membership machine alone on a bench: messages go in, what it would send comes out decoded, time moves by hand. */
import { createMembership, decodePacket, encodeMessage, membershipProfiles } from '../core/membership/index.ts'
import type {
  Alive,
  Input,
  Member,
  Membership,
  MembershipConfig,
  Output,
  PacketMessage,
  Security,
} from '../core/membership/index.ts'
import { createPrng } from '../kernel/prng.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Address, Millis } from '../kernel/units.ts'

type Untimed<I> = I extends { readonly now: Millis } ? Omit<I, 'now'> : never

export interface MembershipLab {
  readonly machine: Membership
  readonly now: Millis
  feed(input: Untimed<Input>): readonly Output[]
  /** One packet with this message. */
  hear(message: PacketMessage, from?: Address): readonly Output[]
  /** Ticks at every deadline on the way, exactly in time. */
  advance(byMs: Millis): readonly Output[]
  /** No tick until then: the machine stood still. */
  stall(byMs: Millis): void
  /** A member as the machine holds it. */
  member(name: string): Member | undefined
}

export interface LabOptions {
  readonly name?: string
  readonly config?: Partial<MembershipConfig>
  readonly localState?: Uint8Array
  readonly seed?: number
  readonly label?: string
  readonly security?: Security
  /** Names of members it already knows. */
  readonly knows?: readonly string[]
  /** Every ping that leaves while time advances is acknowledged at once. */
  readonly answers?: boolean
}

export const ourAddress: Address = { ip: '10.0.0.100', port: 7946 }

/** `m7` lives at 10.0.0.7, other names at 10.0.1.1. */
export function addressOf(name: string): Address {
  const digits = /\d+$/.exec(name)?.[0]
  return { ip: digits === undefined ? '10.0.1.1' : `10.0.0.${digits}`, port: 7946 }
}

export function anAlive(over: Partial<Alive> = {}): Alive {
  const node = over.node ?? 'm1'
  const versions = Uint8Array.from(membershipProfiles.tailnet.versions)
  return { kind: 'alive', node, address: addressOf(node), incarnation: 1, meta: new Uint8Array(0), versions, ...over }
}

export function membershipLab(options: LabOptions = {}): MembershipLab {
  const { label, security } = options
  const settings = {
    ...(label === undefined ? {} : { label }),
    ...(security && { security }),
    name: options.name ?? 'self',
    address: ourAddress,
    meta: new Uint8Array(0),
    config: { ...membershipProfiles.tailnet, ...options.config },
  }
  const application = { localState: () => options.localState ?? new Uint8Array(0) }
  const machine = createMembership(settings, application, createPrng(options.seed ?? 1))
  let now = 1_000

  const lab: MembershipLab = {
    machine,
    get now() {
      return now
    },
    feed: input => machine.step({ ...input, now }),
    hear: (message, from = addressOf('m1')) =>
      lab.feed({ kind: 'packetReceived', from, bytes: encodeMessage(message) }),
    advance(byMs) {
      const end = now + byMs
      const outputs: Output[] = []
      for (let due = machine.nextDeadline(); due !== undefined && due <= end; due = machine.nextDeadline()) {
        now = Math.max(now, due)
        const ticked = lab.feed({ kind: 'tick' })
        outputs.push(...ticked, ...(options.answers === true ? acknowledged(ticked) : []))
      }
      now = end
      return outputs
    },
    stall(byMs) {
      now += byMs
    },
    member: name => machine.members().find(member => member.name === name),
  }
  function acknowledged(outputs: readonly Output[]): readonly Output[] {
    const ack = (seqNo: number): PacketMessage => ({ kind: 'ack', seqNo, payload: new Uint8Array(0) })
    return sentOf(outputs, 'ping').flatMap(({ seqNo, node }) => lab.hear(ack(seqNo), addressOf(node)))
  }

  lab.feed({ kind: 'started' })
  for (const node of options.knows ?? []) lab.hear(anAlive({ node }))
  return lab
}

export interface Sent {
  readonly to: string
  readonly message: PacketMessage
}

/** What leaves in packets, one entry per message. */
export function sent(outputs: readonly Output[]): readonly Sent[] {
  return outputs.flatMap(output =>
    output.kind === 'sendPacket'
      ? decodePacket(output.bytes).messages.map(message => ({ to: formatAddress(output.to), message }))
      : [],
  )
}

/** The messages of one kind that leave in packets. */
export function sentOf<K extends PacketMessage['kind']>(
  outputs: readonly Output[],
  kind: K,
): readonly (Extract<PacketMessage, { kind: K }> & { readonly to: string })[] {
  return sent(outputs).flatMap(({ to, message }) =>
    // The comparison has just established the kind; the compiler does not narrow by a type parameter.
    message.kind === kind ? [{ ...(message as Extract<PacketMessage, { kind: K }>), to }] : [],
  )
}

export function outputsOf<K extends Output['kind']>(
  outputs: readonly Output[],
  kind: K,
): readonly Extract<Output, { kind: K }>[] {
  return outputs.filter((output): output is Extract<Output, { kind: K }> => output.kind === kind)
}
