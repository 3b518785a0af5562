/**
 * A network in memory for simulations: packets and streams with latency, loss and cuts, all from one seed and on virtual
 * time. It speaks the same handlers as the real sockets. Faults are facts about directions, so a cut may be one-way.
 * Streams arrive whole and in order or hang; a cut does not break them, it silences them, as on a real network.
 */
import type { Prng } from '../kernel/prng.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Address, Millis } from '../kernel/units.ts'
import type { DatagramHandlers } from '../ports/datagrams.ts'
import type { StreamHandlers } from '../ports/streams.ts'
import type { SimTime } from './sim-time.ts'

export interface NetworkFaults {
  readonly latencyMs: readonly [least: Millis, most: Millis]
  /** Share of packets that vanish; streams retransmit and do not notice. */
  readonly loss: number
}

export interface SimNetwork {
  faults: NetworkFaults
  /** Throws when the address is taken. */
  attach(address: Address, handlers: DatagramHandlers & StreamHandlers): SimSocket
  /** Nothing from the one ip reaches the other any more. */
  cut(from: string, to: string): void
  heal(): void
}

export interface SimSocket {
  send(to: Address, bytes: Uint8Array): void
  dial(stream: string, to: Address): void
  write(stream: string, bytes: Uint8Array): void
  close(stream: string): void
  /** As when a process dies on a living host: its streams are reset, later dials refused, packets swallowed. */
  detach(): void
}

interface Seat {
  readonly address: Address
  readonly handlers: DatagramHandlers & StreamHandlers
  readonly ends: Map<string, StreamEnd>
  attached: boolean
}

/** One side's view of a connection. */
interface StreamEnd {
  readonly seat: Seat
  readonly stream: string
  other: StreamEnd | undefined
  /** What was sent last from here arrives then: later bytes do not overtake. */
  arrivesAt: Millis
}

export function createSimNetwork(time: SimTime, prng: Prng, faults: NetworkFaults): SimNetwork {
  const seats = new Map<string, Seat>()
  const cuts = new Set<string>()
  let accepted = 0

  const network: SimNetwork = {
    faults,
    attach,
    cut: (from, to) => void cuts.add(`${from} ${to}`),
    heal: () => cuts.clear(),
  }

  const isCut = (from: Address, to: Address): boolean => cuts.has(`${from.ip} ${to.ip}`)

  function latency(): Millis {
    const [least, most] = network.faults.latencyMs
    return least + prng.below(most - least + 1)
  }

  function send(from: Seat, to: Address, bytes: Uint8Array): void {
    const isLost = prng.next() < network.faults.loss
    const arrivesAt = time.now() + latency()
    if (isLost || isCut(from.address, to)) return
    time.at(arrivesAt, () => seats.get(formatAddress(to))?.handlers.onPacket(from.address, bytes))
  }

  /** Runs `arrive` at the other end after the latency, unless the way is cut by then. */
  function carry(from: StreamEnd, to: Seat, arrive: () => void): void {
    from.arrivesAt = Math.max(from.arrivesAt, time.now() + latency())
    const isBlocked = (): boolean => isCut(from.seat.address, to.address) || isCut(to.address, from.seat.address)
    if (isBlocked()) return
    time.at(from.arrivesAt, () => {
      if (!isBlocked()) arrive()
    })
  }

  function dial(seat: Seat, stream: string, to: Address): void {
    const near: StreamEnd = { seat, stream, other: undefined, arrivesAt: 0 }
    seat.ends.set(stream, near)
    const target = seats.get(formatAddress(to))
    const nobody: Seat = { address: to, handlers: seat.handlers, ends: new Map(), attached: false }
    carry(near, target ?? nobody, () => {
      if (target?.attached !== true) return hangUp(near, 'connection refused')
      const far: StreamEnd = { seat: target, stream: `in-${++accepted}`, other: near, arrivesAt: time.now() }
      near.other = far
      target.ends.set(far.stream, far)
      target.handlers.onAccepted(far.stream, { ip: seat.address.ip, port: 50_000 + (accepted % 10_000) })
      carry(far, seat, () => {
        if (seat.ends.has(stream)) seat.handlers.onConnected(stream)
      })
    })
  }

  function write(seat: Seat, stream: string, bytes: Uint8Array): void {
    const far = seat.ends.get(stream)?.other
    const near = far?.other
    if (far === undefined || near === undefined) return
    carry(near, far.seat, () => {
      if (far.seat.ends.has(far.stream)) far.seat.handlers.onData(far.stream, bytes)
    })
  }

  function close(seat: Seat, stream: string, reason?: string): void {
    const near = seat.ends.get(stream)
    seat.ends.delete(stream)
    const far = near?.other
    if (near !== undefined && far !== undefined) carry(near, far.seat, () => hangUp(far, reason))
  }

  function hangUp(end: StreamEnd, reason: string | undefined): void {
    if (end.seat.ends.delete(end.stream)) end.seat.handlers.onClosed(end.stream, reason)
  }

  function attach(address: Address, handlers: DatagramHandlers & StreamHandlers): SimSocket {
    const key = formatAddress(address)
    if (seats.has(key)) throw new Error(`${key} is taken`)
    const seat: Seat = { address, handlers, ends: new Map(), attached: true }
    seats.set(key, seat)
    return {
      send: (to, bytes) => send(seat, to, bytes),
      dial: (stream, to) => dial(seat, stream, to),
      write: (stream, bytes) => write(seat, stream, bytes),
      close: stream => close(seat, stream),
      detach() {
        seat.attached = false
        seats.delete(key)
        for (const stream of seat.ends.keys()) close(seat, stream, 'connection reset')
      },
    }
  }

  return network
}
