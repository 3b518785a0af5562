/**
 * What the bytes of a cluster are spent on, told from the first bytes of each message. A packet of a probe counts as
 * probe as far as its own message and its wrapping go; the news that ride on it count apart. Payload only: IP and UDP add
 * 28 bytes to every packet.
 */
import { rounded } from './statistics.ts'

export interface Traffic {
  packets: number
  /** Ping, ack, indirect ping, nack; over TCP too. */
  probeBytes: number
  /** News that ride on the packets of probes. */
  piggybackBytes: number
  /** Packets of news. */
  gossipBytes: number
  /** Whole states and what is sent after them, over TCP. */
  pushPullBytes: number
}

export const trafficKinds = ['probeBytes', 'piggybackBytes', 'gossipBytes', 'pushPullBytes'] as const

export function noTraffic(): Traffic {
  return { packets: 0, probeBytes: 0, piggybackBytes: 0, gossipBytes: 0, pushPullBytes: 0 }
}

/** Type bytes of the wire. */
const compoundType = 7
const crcType = 12
/** Ping, indirect ping, ack, nack. */
const probeTypes: ReadonlySet<number | undefined> = new Set([0, 1, 2, 11])
const crcBytes = 5

export function countPacket(traffic: Traffic, bytes: Uint8Array): void {
  traffic.packets++
  const start = bytes[0] === crcType ? crcBytes : 0
  if (bytes[start] !== compoundType) count(traffic, bytes[start], bytes.length, 0)
  else {
    const parts = bytes[start + 1] ?? 0
    const firstPart = start + 2 + 2 * parts
    const firstBytes = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0)
    const wrappedBytes = start + 2 + 2 + firstBytes
    count(traffic, bytes[firstPart], wrappedBytes, bytes.length - wrappedBytes)
  }
}

function count(traffic: Traffic, type: number | undefined, ownBytes: number, restBytes: number): void {
  if (probeTypes.has(type)) {
    traffic.probeBytes += ownBytes
    traffic.piggybackBytes += restBytes
  } else traffic.gossipBytes += ownBytes + restBytes
}

/** What is written to a stream in one piece: a ping or an ack with its type first, else something of a state. */
export function countStream(traffic: Traffic, bytes: Uint8Array): void {
  if (probeTypes.has(bytes[0])) traffic.probeBytes += bytes.length
  else traffic.pushPullBytes += bytes.length
}

/** Bytes per second, one decimal. */
export function ratePerSecond(bytes: number, ms: number): number {
  return rounded((bytes / ms) * 1_000, 1)
}
