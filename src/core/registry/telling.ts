/**
 * How news leaves: small records by gossip, one message each, so that a newer one replaces an older one still waiting;
 * large ones straight from their owner to everybody, many in one message. Knows no sections, only what is to be said.
 */
import type { Millis, NodeName } from '../../kernel/units.ts'
import { encodeDelta } from './delta.ts'
import type { Merge, RecordChange } from './merge.ts'
import type { OwnRefused } from './own-section.ts'
import type { HeldRecord } from './section.ts'
import type { RegistryOutput, RegistryRefusal, RegistrySettings } from './types.ts'

export interface Telling {
  /** Passes on what was new to us. Large records are left to their owner, who tells everybody directly. */
  relay(merge: Merge, now: Millis, limit?: number): readonly RegistryOutput[]
  /** Changes of our own section, and what of them could not be made. */
  own(results: readonly (RecordChange | OwnRefused)[], now: Millis): readonly RegistryOutput[]
  /** Records of our own, to every member. */
  directly(records: readonly HeldRecord[], now: Millis): readonly RegistryOutput[]
}

/** At their largest, this many records still keep one direct message below the limit of a stream, 4 MiB. */
const directRecordsMax = 200

export function createTelling({ owner: self, broadcastSizeBytesMax }: RegistrySettings): Telling {
  function relay({ section, changes }: Merge, now: Millis, limit: number = Infinity): readonly RegistryOutput[] {
    return changes
      .filter(change => change.record !== undefined)
      .slice(0, limit)
      .map(({ record }) => record && gossip(section.owner, record, now))
      .filter(output => output !== undefined)
  }

  function gossip(owner: NodeName, record: HeldRecord, now: Millis): RegistryOutput | undefined {
    const message = encodeDelta({ owner, direct: false, records: [record] }, now)
    if (message.length > broadcastSizeBytesMax) return undefined
    return { kind: 'broadcast', name: `r:${owner}:${record.key}`, message }
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

  return { relay, own, directly }
}

/** A section was dropped, or something else about it changed than its records. */
export function changedNothing(owner: NodeName): RegistryOutput {
  return { kind: 'sectionChanged', owner, changes: [] }
}

export function refused(reason: RegistryRefusal, count: number, detail: string): RegistryOutput {
  return { kind: 'refused', reason, count, detail }
}
