/**
 * What is to be told to others, and how often each piece was. Bounded; holds encoded messages and knows nothing of them.
 * Order of leaving: told least often first, then the longest, then the newest. A later broadcast of a name replaces the
 * earlier one and starts again from nothing told.
 * One bucket per number of transmissions, each in order of leaving, so that filling a packet sorts nothing.
 */
export interface Broadcasts {
  readonly length: number
  readonly dropped: number
  has(name: string): boolean
  queue(name: string, message: Uint8Array): void
  /** What nobody needs to be told any more. */
  withdraw(name: string): void
  /**
   * Greedily what fits into `roomBytes`, counting `perMessageBytes` on top of each message, at most `most` messages.
   * Every message taken counts as told once more and leaves for good at `limit`.
   */
  take(
    roomBytes: number,
    perMessageBytes: number,
    limit: number,
    most: number,
    /** Told of each broadcast that leaves for the first time. */
    onFirst?: (name: string) => void,
  ): Uint8Array[]
}

interface Broadcast {
  readonly name: string
  readonly message: Uint8Array
  readonly sequence: number
  transmissions: number
}

export function createBroadcasts(max: number): Broadcasts {
  const byName = new Map<string, Broadcast>()
  const buckets: Broadcast[][] = []
  let sequence = 0
  let dropped = 0

  function insert(broadcast: Broadcast): void {
    while (buckets.length <= broadcast.transmissions) buckets.push([])
    const bucket = buckets[broadcast.transmissions] ?? []
    bucket.splice(
      firstIndex(bucket, other => comesAfter(other, broadcast)),
      0,
      broadcast,
    )
  }

  function remove(broadcast: Broadcast): void {
    const bucket = buckets[broadcast.transmissions] ?? []
    bucket.splice(
      firstIndex(bucket, other => !comesAfter(broadcast, other)),
      1,
    )
  }

  /** The one that most members have heard most likely already. */
  function dropOldest(): void {
    for (let told = buckets.length - 1; told >= 0; told--) {
      const victim = buckets[told]?.pop()
      if (victim === undefined) continue
      byName.delete(victim.name)
      dropped++
      return
    }
  }

  return {
    get length() {
      return byName.size
    },
    get dropped() {
      return dropped
    },
    has: name => byName.has(name),
    queue(name, message) {
      const earlier = byName.get(name)
      if (earlier !== undefined) remove(earlier)
      else if (byName.size >= max) dropOldest()
      const broadcast: Broadcast = { name, message, sequence: sequence++, transmissions: 0 }
      byName.set(name, broadcast)
      insert(broadcast)
    },
    withdraw(name) {
      const broadcast = byName.get(name)
      if (broadcast === undefined) return
      remove(broadcast)
      byName.delete(name)
    },
    take(roomBytes, perMessageBytes, limit, most, onFirst) {
      const taken: Broadcast[] = []
      let room = roomBytes
      for (const bucket of buckets) {
        const fits = (broadcast: Broadcast): boolean => broadcast.message.length + perMessageBytes <= room
        let index = firstIndex(bucket, fits)
        while (taken.length < most && index < bucket.length) {
          for (const broadcast of bucket.splice(index, 1)) {
            taken.push(broadcast)
            room -= broadcast.message.length + perMessageBytes
          }
          index = firstIndex(bucket, fits)
        }
      }
      for (const broadcast of taken) {
        if (broadcast.transmissions === 0) onFirst?.(broadcast.name)
        broadcast.transmissions++
        if (broadcast.transmissions >= limit) byName.delete(broadcast.name)
        else insert(broadcast)
      }
      return taken.map(broadcast => broadcast.message)
    },
  }
}

/** Whether `a` leaves later than `b` of the same bucket. */
function comesAfter(a: Broadcast, b: Broadcast): boolean {
  if (a.message.length !== b.message.length) return a.message.length < b.message.length
  return a.sequence < b.sequence
}

/** The first index from which on `holds` is true; `holds` must be false, then true, along the array. */
function firstIndex<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && holds(item)) high = middle
    else low = middle + 1
  }
  return low
}
