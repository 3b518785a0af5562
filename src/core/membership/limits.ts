/**
 * How much of anything a peer may make us hold. Every decoder checks a length against these before it allocates.
 * The protocol itself only limits metadata; the rest is ours, and generous against what real peers send.
 */

/** Node metadata: the protocol's own limit. */
export const metaBytesMax = 512

/** Node names, in UTF-8. */
export const nameBytesMax = 128

/** A UDP payload cannot be larger. */
export const packetBytesMax = 65_536

/**
 * All that one packet may unfold to, over all its compressed parts together. Peers compress what they could also have
 * sent plainly in one datagram, so 64 KiB is enough for honest ones and leaves nothing to gain for a bomb.
 */
export const packetUnfoldedBytesMax = 65_536

/** Compound in compressed in compound: real peers use two, a fourth level is an attack on the stack. */
export const wrapDepthMax = 3

/** Refusals told of one packet or stream: a hostile one could have thousands, and each becomes a line somewhere. */
export const refusalsMax = 16

/** Limits of one inbound stream; the defaults suit clusters of a thousand nodes. */
export interface StreamDecoderLimits {
  /** The whole stream, both as it arrives and after decompression. */
  readonly streamBytesMax: number
  readonly nodesMax: number
  /** Application state of a push/pull. */
  readonly userStateBytesMax: number
  readonly userMessageBytesMax: number
}

export const defaultStreamLimits: StreamDecoderLimits = {
  streamBytesMax: 8 * 1024 * 1024,
  // Twice what a member list may hold; taking in ten thousand would hold the thread for seconds.
  nodesMax: 2_048,
  userStateBytesMax: 4 * 1024 * 1024,
  userMessageBytesMax: 4 * 1024 * 1024,
}
