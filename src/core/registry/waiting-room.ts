/**
 * News of owners that are no members yet. A new node tells everybody directly, and that is often faster than the word of
 * its arrival; what came too early waits here for a little while instead of being lost until the next push/pull.
 * Bounded in number, size and time, for anybody can speak of owners that do not exist.
 */
import type { Millis, NodeName } from '../../kernel/units.ts'

export interface WaitingRoom {
  /** Answers how many others had to go for it. */
  add(owner: NodeName, bytes: Uint8Array, now: Millis): number
  /** What waits for this owner, oldest first; it waits no more. */
  take(owner: NodeName, now: Millis): readonly Uint8Array[]
}

interface Waiting {
  readonly owner: NodeName
  readonly bytes: Uint8Array
  readonly until: Millis
}

const waitingMax = 256
const waitingBytesMax = 4 * 1_024 * 1_024
/** Gossip has told of a new member by then, many times over; else push/pull will tell all. */
const waitMs: Millis = 10_000

export function createWaitingRoom(): WaitingRoom {
  let waiting: readonly Waiting[] = []
  return {
    add(owner, bytes, now) {
      const before = waiting.length
      let sizeBytes = 0
      // From the newest back: the oldest find no room.
      const fresh = [...waiting, { owner, bytes, until: now + waitMs }].slice(-waitingMax).reverse()
      waiting = fresh.filter(item => item.until > now && (sizeBytes += item.bytes.length) <= waitingBytesMax).reverse()
      return before + 1 - waiting.length
    },
    take(owner, now) {
      const due = waiting.filter(item => item.owner === owner && item.until > now)
      waiting = waiting.filter(item => item.owner !== owner)
      return due.map(({ bytes }) => bytes)
    },
  }
}
