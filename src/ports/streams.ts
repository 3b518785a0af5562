/** TCP, one connection for one exchange, addressed by id. Translates; the core decides about limits and deadlines. */
import type { Address } from '../kernel/units.ts'

export interface Streams {
  readonly local: Address
  /** The outcome arrives as `onConnected` or `onClosed`. */
  dial(stream: string, to: Address): void
  /** Ignored when the stream is gone. */
  write(stream: string, bytes: Uint8Array): void
  /** Ends after what was written has left; a peer that does not read is cut off after a few seconds. */
  close(stream: string): void
  shutdown(): Promise<void>
}

export interface StreamHandlers {
  /** Ids of accepted streams are made by the adapter and start with `in-`. */
  onAccepted(stream: string, from: Address): void
  onConnected(stream: string): void
  onData(stream: string, bytes: Uint8Array): void
  onClosed(stream: string, reason?: string): void
}

export interface StreamLimits {
  readonly maxInbound: number
  readonly connectTimeoutMs: number
}

/** Rejects with `ConstellationError` `ADDRESS_IN_USE` or `ADDRESS_UNAVAILABLE`. */
export type OpenStreams = (bind: Address, limits: StreamLimits, handlers: StreamHandlers) => Promise<Streams>
