/**
 * Our side of a push/pull. A small state travels whole; of a large one only a digest does, and what the peer's digest shows
 * to be missing there is sent to it afterwards, in messages of its own. A peer that joins knows nothing of us, so it gets
 * all at once as long as that fits: then its first push/pull is its last wait.
 * Decides what is sent; what arrives is merged elsewhere.
 */
import type { Millis, NodeName } from '../../kernel/units.ts'
import { createDigester, encodeDigest, teaches } from './digest.ts'
import type { SectionDigest } from './digest.ts'
import { sectionMessagesMax, sectionsMessageSizeBytes, stateSizeBytesMax, wholeStateSizeBytesMax } from './limits.ts'
import { createSectionEncoder } from './section-codec.ts'
import type { HeldSection } from './section.ts'
import { encodeSections, encodeWholeState, overheadBytes } from './state-exchange.ts'

export interface LocalState {
  readonly bytes: Uint8Array
  /** Sections too large for any message; they are told to others by deltas only. */
  readonly omitted: number
}

export interface Exchange {
  /** What travels as user state of a push/pull. */
  localState(now: Millis, join: boolean): LocalState
  /** Whether all of ours travels whole in a push/pull of this kind. */
  sendsWhole(now: Millis, join: boolean): boolean
  /** Messages with the sections that somebody with this digest should hear. None when all of ours travels whole anyway. */
  answer(theirs: readonly SectionDigest[], now: Millis, join: boolean): readonly Uint8Array[]
  digestOf(section: HeldSection, now: Millis): SectionDigest
}

/** `held`: every section we hold, our own first. */
export function createExchange(self: NodeName, held: () => readonly HeldSection[]): Exchange {
  const pack = createSectionEncoder()
  const digestOf = createDigester()

  /** All sections packed, if they fit into one push/pull of this kind. */
  function whole(now: Millis, join: boolean): readonly Uint8Array[] | undefined {
    const most = join ? stateSizeBytesMax : wholeStateSizeBytesMax
    const packed: Uint8Array[] = []
    let sizeBytes = overheadBytes + self.length
    for (const section of held()) {
      const bytes = pack(section, now)
      sizeBytes += bytes.length + overheadBytes
      if (sizeBytes > most) return undefined
      packed.push(bytes)
    }
    return packed
  }

  function isTooLarge(bytes: Uint8Array): boolean {
    return bytes.length + 2 * overheadBytes > stateSizeBytesMax
  }

  return {
    digestOf,
    sendsWhole: (now, join) => whole(now, join) !== undefined,
    localState(now, join) {
      const packed = whole(now, join)
      if (packed !== undefined) return { bytes: encodeWholeState(self, packed), omitted: 0 }
      const sections = held().map(section => digestOf(section, now))
      const omitted = held().filter(section => isTooLarge(pack(section, now))).length
      return { bytes: encodeDigest({ sender: self, sections }), omitted }
    },
    answer(theirs, now, join) {
      if (whole(now, join) !== undefined) return []
      const byOwner = new Map(theirs.map(digest => [digest.owner, digest]))
      const wanted = held().filter(section =>
        teaches({ ...digestOf(section, now), version: section.version }, byOwner.get(section.owner)),
      )
      return inMessages(
        self,
        wanted.map(section => pack(section, now)).filter(bytes => !isTooLarge(bytes)),
      )
    },
  }
}

/** What finds no place goes with a later push/pull, which will miss the same sections less those that arrived. */
function inMessages(self: NodeName, packed: readonly Uint8Array[]): readonly Uint8Array[] {
  const messages: Uint8Array[] = []
  let pending: Uint8Array[] = []
  let sizeBytes = overheadBytes + self.length
  const flush = (): void => {
    if (pending.length > 0) messages.push(encodeSections(self, pending))
    pending = []
    sizeBytes = overheadBytes + self.length
  }
  for (const bytes of packed) {
    if (sizeBytes + bytes.length + overheadBytes > sectionsMessageSizeBytes) flush()
    if (messages.length === sectionMessagesMax) return messages
    pending.push(bytes)
    sizeBytes += bytes.length + overheadBytes
  }
  flush()
  return messages
}
