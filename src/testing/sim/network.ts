/**
 * A network in memory for simulations: packets and streams with every fault a real one has, from one seed and on virtual
 * time. It speaks the same handlers as the real sockets. Faults are facts about directions, so a cut may be one-way.
 * Packets may be lost, doubled, overtaken, damaged or too large. Streams arrive whole and in order, hang, or are reset; a
 * cut does not break them, it silences them, as on a real network.
 */
import type { Prng } from '../../kernel/prng.ts'
import { formatAddress } from '../../kernel/units.ts'
import type { Address, Millis } from '../../kernel/units.ts'
import type { DatagramHandlers } from '../../ports/datagrams.ts'
import type { StreamHandlers } from '../../ports/streams.ts'
import type { SimTime } from './time.ts'

export interface NetworkFaults {
  readonly latencyMs: readonly [least: Millis, most: Millis]
  /** Share of packets that vanish; streams retransmit and do not notice. */
  readonly loss: number
  /** Share of packets that arrive twice. */
  readonly duplication?: number
  /** Share of packets that are held back, so that later ones overtake them. */
  readonly reordering?: number
  /** Share of packets in which one bit is turned, among those that `mayDamage` allows. */
  readonly damage?: number
  /** Share of stream writes that end in a reset instead. */
  readonly resets?: number
  /** Of streams; without it they are as quick as a packet. */
  readonly bytesPerMs?: number
}

export interface NetworkSettings {
  /** Larger packets, with their headers, vanish. */
  readonly mtuBytes?: number
  /** Damage that nobody could notice would be believed, and rightly: say here which packets are protected. */
  readonly mayDamage?: (bytes: Uint8Array) => boolean
}

export interface SimNetwork {
  faults: NetworkFaults
  /** Throws when the address is taken. */
  attach(address: Address, handlers: DatagramHandlers & StreamHandlers): SimSocket
  /** Nothing from the one ip reaches the other any more. */
  cut(from: string, to: string): void
  mend(from: string, to: string): void
  /** This way has faults of its own; undefined: those of the network again. */
  link(from: string, to: string, faults: NetworkFaults | undefined): void
  /** No cut and no link of its own is left. */
  heal(): void
}

export interface SimSocket {
  send(to: Address, bytes: Uint8Array): void
  dial(stream: string, to: Address): void
  write(stream: string, bytes: Uint8Array): void
  close(stream: string): void
  /** As when a process dies on a living host: its streams are reset, later dials refused, packets swallowed. */
  detach(): void
  /** As when the power goes: nobody is told, streams stay half open, and later dials wait in vain. */
  vanish(): void
}

interface Seat {
  readonly address: Address
  readonly handlers: DatagramHandlers & StreamHandlers
  readonly ends: Map<string, StreamEnd>
}

/** One side's view of a connection. */
interface StreamEnd {
  readonly seat: Seat
  readonly stream: string
  other: StreamEnd | undefined
  /** What was sent last from here arrives then: later bytes do not overtake. */
  arrivesAt: Millis
}

/** How much longer a packet may take that others overtake. */
const reorderMs: Millis = 300
/** IPv4 and UDP. */
const headerBytes = 28

export function createSimNetwork(
  time: SimTime,
  prng: Prng,
  faults: NetworkFaults,
  { mtuBytes = 65_535, mayDamage = () => true }: NetworkSettings = {},
): SimNetwork {
  const seats = new Map<string, Seat>()
  /** Hosts without power: even a refusal takes somebody to refuse. */
  const darkHosts = new Set<string>()
  const cuts = new Set<string>()
  const links = new Map<string, NetworkFaults>()
  let accepted = 0

  const network: SimNetwork = {
    faults,
    attach,
    cut: (from, to) => void cuts.add(`${from} ${to}`),
    mend: (from, to) => void cuts.delete(`${from} ${to}`),
    link(from, to, own) {
      if (own === undefined) links.delete(`${from} ${to}`)
      else links.set(`${from} ${to}`, own)
    },
    heal() {
      cuts.clear()
      links.clear()
    },
  }

  const isCut = (from: Address, to: Address): boolean => cuts.size > 0 && cuts.has(`${from.ip} ${to.ip}`)
  const faultsOf = (from: Address, to: Address): NetworkFaults =>
    (links.size > 0 ? links.get(`${from.ip} ${to.ip}`) : undefined) ?? network.faults
  const happens = (share: number | undefined): boolean => share !== undefined && share > 0 && prng.next() < share

  function latency({ latencyMs: [least, most] }: NetworkFaults): Millis {
    return least + prng.below(most - least + 1)
  }

  function send(from: Seat, to: Address, bytes: Uint8Array): void {
    const here = faultsOf(from.address, to)
    const isLost = happens(here.loss)
    const copies = happens(here.duplication) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const lateMs = happens(here.reordering) ? prng.below(reorderMs) : 0
      const arrivesAt = time.now() + latency(here) + lateMs
      const arriving = happens(here.damage) && mayDamage(bytes) ? damaged(bytes) : bytes
      if (isLost || isCut(from.address, to) || bytes.length + headerBytes > mtuBytes) continue
      time.at(arrivesAt, () => seats.get(formatAddress(to))?.handlers.onPacket(from.address, arriving))
    }
  }

  /** One bit, anywhere behind the first byte: with another type it would be another, unprotected message. */
  function damaged(bytes: Uint8Array): Uint8Array {
    if (bytes.length < 2) return bytes
    const copy = bytes.slice()
    const at = 1 + prng.below(bytes.length - 1)
    copy[at] = (copy[at] ?? 0) ^ (1 << prng.below(8))
    return copy
  }

  /** Runs `arrive` at the other end after the latency, unless the way is cut by then. */
  function carry(from: StreamEnd, to: Seat, sizeBytes: number, arrive: () => void): void {
    const here = faultsOf(from.seat.address, to.address)
    const transferMs = here.bytesPerMs === undefined ? 0 : Math.ceil(sizeBytes / here.bytesPerMs)
    from.arrivesAt = Math.max(from.arrivesAt, time.now() + latency(here)) + transferMs
    const isBlocked = (): boolean => isCut(from.seat.address, to.address) || isCut(to.address, from.seat.address)
    if (isBlocked()) return
    time.at(from.arrivesAt, () => {
      if (!isBlocked()) arrive()
    })
  }

  function dial(seat: Seat, stream: string, to: Address): void {
    const near: StreamEnd = { seat, stream, other: undefined, arrivesAt: 0 }
    seat.ends.set(stream, near)
    const nobody: Seat = { address: to, handlers: seat.handlers, ends: new Map() }
    carry(near, nobody, 0, () => {
      const target = seats.get(formatAddress(to))
      if (target === undefined && darkHosts.has(to.ip)) return
      if (target === undefined) return hangUp(near, 'connection refused')
      const far: StreamEnd = { seat: target, stream: `in-${++accepted}`, other: near, arrivesAt: time.now() }
      near.other = far
      target.ends.set(far.stream, far)
      target.handlers.onAccepted(far.stream, { ip: seat.address.ip, port: 50_000 + (accepted % 10_000) })
      carry(far, seat, 0, () => {
        if (isOpen(near)) seat.handlers.onConnected(stream)
      })
    })
  }

  function isOpen(end: StreamEnd): boolean {
    return end.seat.ends.get(end.stream) === end
  }

  function write(seat: Seat, stream: string, bytes: Uint8Array): void {
    const near = seat.ends.get(stream)
    const far = near?.other
    if (near === undefined || far === undefined) return
    if (happens(faultsOf(seat.address, far.seat.address).resets)) return reset(near, far)
    carry(near, far.seat, bytes.length, () => {
      if (isOpen(far)) far.seat.handlers.onData(far.stream, bytes)
    })
  }

  function reset(near: StreamEnd, far: StreamEnd): void {
    time.at(time.now(), () => hangUp(near, 'connection reset'))
    carry(near, far.seat, 0, () => hangUp(far, 'connection reset'))
  }

  function close(seat: Seat, stream: string, reason?: string): void {
    const near = seat.ends.get(stream)
    seat.ends.delete(stream)
    const far = near?.other
    if (near !== undefined && far !== undefined) carry(near, far.seat, 0, () => hangUp(far, reason))
  }

  function hangUp(end: StreamEnd, reason: string | undefined): void {
    if (!isOpen(end)) return
    end.seat.ends.delete(end.stream)
    end.seat.handlers.onClosed(end.stream, reason)
  }

  function attach(address: Address, handlers: DatagramHandlers & StreamHandlers): SimSocket {
    const key = formatAddress(address)
    if (seats.has(key)) throw new Error(`${key} is taken`)
    const seat: Seat = { address, handlers, ends: new Map() }
    seats.set(key, seat)
    darkHosts.delete(address.ip)
    return {
      send: (to, bytes) => send(seat, to, bytes),
      dial: (stream, to) => dial(seat, stream, to),
      write: (stream, bytes) => write(seat, stream, bytes),
      close: stream => close(seat, stream),
      detach() {
        if (seats.get(key) === seat) seats.delete(key)
        for (const stream of seat.ends.keys()) close(seat, stream, 'connection reset')
      },
      vanish() {
        if (seats.get(key) === seat) seats.delete(key)
        darkHosts.add(address.ip)
        seat.ends.clear()
      },
    }
  }

  return network
}
