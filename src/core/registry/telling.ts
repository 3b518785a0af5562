/**
 * How news leaves: small records by gossip, one message each, so that a newer one replaces an older one still waiting;
 * large ones straight from their owner to everybody, many in one message. Whoever its owner could not reach then, in a cut
 * or while it was suspected, hears of a large one by push/pull, and tells a few others that may have missed it as well;
 * each for whom it was news does the same. Knows no sections, only what is to be said.
 */
import type { Millis, NodeName } from '../../kernel/units.ts'
import { encodeDelta } from './delta.ts'
import type { Merge, RecordChange } from './merge.ts'
import type { OwnRefused } from './own-section.ts'
import type { RecordKey } from './record.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import type { RegistryOutput, RegistryRefusal, RegistrySettings } from './types.ts'

export interface Telling {
  /** Passes on what was new to us, but not what the owner tells everybody directly. */
  relay(merge: Merge, now: Millis, bounds?: RelayBounds): readonly RegistryOutput[]
  /** Ends the relaying of a section that nobody keeps any longer. */
  withdraw(section: HeldSection): RegistryOutput
  /** Changes of our own section, and what of them could not be made. */
  own(results: readonly (RecordChange | OwnRefused)[], now: Millis): readonly RegistryOutput[]
  /** Records of our own, to every member. */
  directly(records: readonly HeldRecord[], now: Millis): readonly RegistryOutput[]
}

export interface RelayBounds {
  /** Whom we have it from. */
  readonly sender?: NodeName | undefined
  readonly recordsMax?: number
  /** Not by gossip, but directly. */
  readonly withLarge?: boolean
}

/** At their largest, this many records still keep one direct message below the limit of a stream, 4 MiB. */
const directRecordsMax = 200

export function createTelling({ owner: self, broadcastSizeBytesMax }: RegistrySettings): Telling {
  function relay({ section, changes }: Merge, now: Millis, bounds: RelayBounds = {}): readonly RegistryOutput[] {
    const { sender, recordsMax = Infinity, withLarge = true } = bounds
    const { owner } = section
    const outputs: RegistryOutput[] = []
    const large: HeldRecord[] = []
    const news = changes.map(({ record }) => record).filter(record => record !== undefined)
    for (const record of news.slice(0, recordsMax)) {
      const message = gossip(owner, record, now)
      if (message === undefined) large.push(record)
      else outputs.push(message)
    }
    if (large.length === 0 || !withLarge) return outputs
    // One message: more than it takes at once is a resync, which push/pull does at less cost.
    const records = large.slice(0, directRecordsMax)
    const message = encodeDelta({ owner, direct: false, sender: self, records }, now)
    return [...outputs, { kind: 'tellSome', message, except: sender === undefined ? [owner] : [owner, sender] }]
  }

  function gossip(owner: NodeName, record: HeldRecord, now: Millis): RegistryOutput | undefined {
    const message = encodeDelta({ owner, direct: false, records: [record] }, now)
    if (message.length > broadcastSizeBytesMax) return undefined
    return { kind: 'broadcast', name: broadcastName(owner, record.key), message }
  }

  function own(results: readonly (RecordChange | OwnRefused)[], now: Millis): readonly RegistryOutput[] {
    const outputs: RegistryOutput[] = []
    const changes: RecordChange[] = []
    const large: HeldRecord[] = []
    for (const result of results) {
      if ('refusal' in result) {
        outputs.push(refused(result.refusal, 1, result.key))
        continue
      }
      changes.push(result)
      if (result.record === undefined) continue
      const message = gossip(self, result.record, now)
      if (message === undefined) large.push(result.record)
      else outputs.push(message)
    }
    if (changes.length > 0) outputs.push({ kind: 'sectionChanged', owner: self, changes })
    return [...outputs, ...directly(large, now)]
  }

  function directly(records: readonly HeldRecord[], now: Millis): readonly RegistryOutput[] {
    const outputs: RegistryOutput[] = []
    for (let start = 0; start < records.length; start += directRecordsMax) {
      const some = records.slice(start, start + directRecordsMax)
      const message = encodeDelta({ owner: self, direct: true, records: some }, now)
      outputs.push({ kind: 'broadcastReliably', message })
    }
    return outputs
  }

  function withdraw({ owner, records }: HeldSection): RegistryOutput {
    return { kind: 'withdraw', names: [...records.keys()].map(key => broadcastName(owner, key)) }
  }

  return { relay, withdraw, own, directly }
}

function broadcastName(owner: NodeName, key: RecordKey): string {
  return `r:${owner}:${key}`
}

/** A section was dropped, or something else about it changed than its records. */
export function changedNothing(owner: NodeName): RegistryOutput {
  return { kind: 'sectionChanged', owner, changes: [] }
}

export function refused(reason: RegistryRefusal, count: number, detail: string): RegistryOutput {
  return { kind: 'refused', reason, count, detail }
}
