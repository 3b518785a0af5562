/**
 * How much any node may say. Everything that arrives is held to these, and everything we publish too: what we would not
 * accept from others we do not send.
 */
import type { Millis } from '../../kernel/units.ts'

/** A cluster of a hundred nodes is large for this agent; ten times that is an attack or a mistake. */
export const sectionsMax = 1_000

/** Containers on one node, tombstones of a day included. When full, the oldest tombstones make room. */
export const recordsPerSectionMax = 2_000

/** One encoded record body. An instance with every label in use takes about 2 kB. */
export const recordSizeBytesMax = 16 * 1_024

/** Up to here a push/pull carries all we hold: less than a second of a slow uplink, and one exchange settles it. */
export const wholeStateSizeBytesMax = 64 * 1_024

/** A message of sections is closed at this size; one section alone may be larger. Small enough to be cheap to repeat. */
export const sectionsMessageSizeBytes = 1_024 * 1_024

/** Messages of sections after one push/pull, each a connection of its own: what is left over goes with the next one. */
export const sectionMessagesMax = 8

/** User state of one push/pull, or one user message; the membership refuses more than this from anybody. */
export const stateSizeBytesMax = 4 * 1_024 * 1_024

/** `i/` and a 64-digit container id are 66 characters; the rest is room for kinds to come. */
export const keyLengthMax = 128

/** Node facts, ids and names of the engine: images with a registry, a path and a digest are the longest. */
export const nameLengthMax = 512

/** Sentences for people, and rules: Traefik's own examples stay below a tenth of it. */
export const textLengthMax = 4_096

/** Ports, networks, routers or complaints of one instance. */
export const listLengthMax = 256

/**
 * Epochs and revisions. Far above what a node can count to in its life (a change per millisecond for 34 years), and far
 * enough below 2^53 that a forged version near the edge cannot keep an owner from raising its epoch above it.
 */
export const versionMax = 2 ** 40

export function isVersionNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= versionMax
}

/** After this long a tombstone has been heard by everybody who is still wanted. */
export const tombstoneMs: Millis = 24 * 3_600_000
