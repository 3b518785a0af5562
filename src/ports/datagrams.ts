/** UDP. Sending never throws: a packet that cannot leave is reported through `onUndeliverable`, or lost, as UDP is. */
import type { Address } from '../kernel/units.ts'

export interface Datagrams {
  /** What the socket is bound to. */
  readonly local: Address
  send(to: Address, bytes: Uint8Array): void
  close(): Promise<void>
}

export interface DatagramHandlers {
  onPacket(from: Address, bytes: Uint8Array): void
  onUndeliverable(to: Address): void
}

/** Rejects with `ConstellationError` `ADDRESS_IN_USE` or `ADDRESS_UNAVAILABLE`. */
export type OpenDatagrams = (bind: Address, handlers: DatagramHandlers) => Promise<Datagrams>
