/**
 * The registry machine: our own section, which we alone write, and what is known of everybody else's. Told of messages and
 * members, it answers what to send and what has changed. Pure: `now` arrives with every input.
 *
 * Every member's news reaches everybody in one of three ways: small records by gossip, where whoever learns something
 * passes it on; large ones straight from their owner; and all of it, sooner or later, by push/pull.
 * Nobody but a node itself changes its section; what others tell about us only shows what must be buried or outbid.
 */
import { unreachable } from '../../kernel/invariant.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { decodeDelta, encodeDelta } from './delta.ts'
import type { EnvelopeFault } from './envelope.ts'
import { sectionsMax } from './limits.ts'
import { mergeRecords, mergeSection } from './merge.ts'
import type { Merge, RecordChange } from './merge.ts'
import { createOwnSection } from './own-section.ts'
import type { OwnChange, OwnRefused } from './own-section.ts'
import type { Section } from './record.ts'
import { emptySection, withoutOldTombstones } from './section.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { decodeState, encodeState } from './state-exchange.ts'
import type { EncodedState } from './state-exchange.ts'

export type RegistryInput =
  /** From the disk, before anything is sent: higher than any epoch of an earlier run. */
  | { readonly kind: 'epochLoaded'; readonly now: Millis; readonly epoch: number }
  | { readonly kind: 'published'; readonly now: Millis; readonly changes: readonly OwnChange[] }
  | { readonly kind: 'completed'; readonly now: Millis }
  | { readonly kind: 'deltaReceived'; readonly now: Millis; readonly bytes: Uint8Array }
  | { readonly kind: 'stateReceived'; readonly now: Millis; readonly bytes: Uint8Array }
  /** Alive, suspect or dead. Of others nothing is kept: a section nobody belongs to would never be dropped. */
  | { readonly kind: 'memberPresent'; readonly now: Millis; readonly name: NodeName }
  /** Left on purpose, or forgotten. */
  | { readonly kind: 'memberGone'; readonly now: Millis; readonly name: NodeName }
  | { readonly kind: 'tick'; readonly now: Millis }

export type RegistryRefusal = EnvelopeFault | OwnRefused['refusal'] | 'unknownOwner' | 'sectionFull' | 'tooManySections'

export type RegistryOutput =
  /** Gossip it under this name; a later one of the same name replaces it. */
  | { readonly kind: 'broadcast'; readonly name: string; readonly message: Uint8Array }
  /** To every alive member directly. */
  | { readonly kind: 'broadcastReliably'; readonly message: Uint8Array }
  /** Without changes the section was dropped, or only its completeness changed. */
  | { readonly kind: 'sectionChanged'; readonly owner: NodeName; readonly changes: readonly RecordChange[] }
  | { readonly kind: 'persistEpoch'; readonly epoch: number }
  | { readonly kind: 'refused'; readonly reason: RegistryRefusal; readonly count: number; readonly detail: string }

export interface Registry {
  step(input: RegistryInput): readonly RegistryOutput[]
  nextDeadline(): Millis | undefined
  /** What travels as user state of a push/pull. */
  localState(now: Millis): EncodedState
  /** Everybody's, ours included. */
  sections(): ReadonlyMap<NodeName, Section>
}

export interface RegistrySettings {
  readonly owner: NodeName
  /** The largest message that may be gossiped. */
  readonly broadcastSizeBytesMax: number
}

/** Tombstones live for a day; a few minutes more or less do not matter. */
const sweepIntervalMs: Millis = 600_000

/** More news than this in one push/pull is a resync; push/pull itself will carry it on, at less cost. */
const relayedPerStateMax = 200

/** At their largest, this many records still keep one direct message below the limit of a stream, 4 MiB. */
const directRecordsMax = 200

export function createRegistry(settings: RegistrySettings): Registry {
  const { owner: self, broadcastSizeBytesMax } = settings
  const own = createOwnSection(self, 1)
  const others = new Map<NodeName, HeldSection>()
  const present = new Set<NodeName>()
  let sweepAt: Millis | undefined
  /** Until one of our agents has told us its state, everything we hear is old news to the others. */
  let acquainted = false

  function step(input: RegistryInput): readonly RegistryOutput[] {
    const { now } = input
    sweepAt ??= now + sweepIntervalMs
    switch (input.kind) {
      case 'epochLoaded':
        own.raiseEpoch(input.epoch)
        return []
      case 'published':
        return tellOwn(own.publish(input.changes, now), now)
      case 'completed':
        return [changedNothing(self), ...tellOwn(own.complete(now), now)]
      case 'deltaReceived':
        return onDelta(input.bytes, now)
      case 'stateReceived':
        return onState(input.bytes, now)
      case 'memberPresent':
        present.add(input.name)
        return []
      case 'memberGone':
        present.delete(input.name)
        return others.delete(input.name) ? [changedNothing(input.name)] : []
      case 'tick':
        return onTick(now)
      default:
        return unreachable(input)
    }
  }

  function onDelta(bytes: Uint8Array, now: Millis): readonly RegistryOutput[] {
    const delta = decodeDelta(bytes, now)
    if (!delta.ok) return [refused(delta.error, 1, 'delta')]
    const { owner, direct, records, brokenRecords } = delta.value
    const broken = brokenRecords === 0 ? [] : [refused('malformed', brokenRecords, `records in a delta of ${owner}`)]
    if (owner === self) return [...broken, ...learnAboutOurselves(own.current(), records, now)]
    const held = sectionOf(owner)
    if (typeof held === 'string') return [...broken, refused(held, 1, `delta of ${owner}`)]
    const merge = mergeRecords(held, records)
    return [...broken, ...adopt(merge), ...(direct ? [] : relay(merge, now))]
  }

  function onState(bytes: Uint8Array, now: Millis): readonly RegistryOutput[] {
    const state = decodeState(bytes, now)
    if (!state.ok) return bytes.length === 0 ? [] : [refused(state.error, 1, 'push/pull state')]
    const { sections, brokenSections, brokenRecords } = state.value
    const outputs: RegistryOutput[] = []
    const broken = brokenSections + brokenRecords
    if (broken > 0) outputs.push(refused('malformed', broken, 'sections and records of a push/pull'))
    let toRelay = acquainted ? relayedPerStateMax : 0
    for (const heard of sections) {
      if (heard.owner === self) {
        outputs.push(...learnAboutOurselves(heard, heard.records.values(), now))
        continue
      }
      const held = sectionOf(heard.owner)
      // The peer may still remember dead members that we never met; nothing is wrong with that.
      if (held === 'unknownOwner') continue
      if (held === 'tooManySections') {
        outputs.push(refused(held, 1, `section of ${heard.owner}`))
        continue
      }
      const merge = mergeSection(held, heard)
      outputs.push(...adopt(merge), ...relay(merge, now, toRelay))
      toRelay -= Math.min(toRelay, merge.changes.length)
    }
    if (!acquainted) outputs.push(...tellDirectly([...own.current().records.values()], now))
    acquainted = true
    return outputs
  }

  /** A section that may be kept, or why not. */
  function sectionOf(owner: NodeName): HeldSection | 'unknownOwner' | 'tooManySections' {
    const held = others.get(owner)
    if (held !== undefined) return held
    if (!present.has(owner)) return 'unknownOwner'
    return others.size + 1 >= sectionsMax ? 'tooManySections' : emptySection(owner)
  }

  function adopt({ section, changes, overflow }: Merge): readonly RegistryOutput[] {
    const full = overflow === 0 ? [] : [refused('sectionFull', overflow, `records of ${section.owner}`)]
    if (others.get(section.owner) === section) return full
    others.set(section.owner, section)
    return [...full, { kind: 'sectionChanged', owner: section.owner, changes }]
  }

  /** Records too large for a packet are left to their owner, who tells everybody directly. */
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

  function tellOwn(results: readonly (RecordChange | OwnRefused)[], now: Millis): readonly RegistryOutput[] {
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
    return [...outputs, ...tellDirectly(large, now)]
  }

  function tellDirectly(records: readonly HeldRecord[], now: Millis): readonly RegistryOutput[] {
    const outputs: RegistryOutput[] = []
    for (let start = 0; start < records.length; start += directRecordsMax) {
      const some = records.slice(start, start + directRecordsMax)
      const message = encodeDelta({ owner: self, direct: true, records: some }, now)
      outputs.push({ kind: 'broadcastReliably', message })
    }
    return outputs
  }

  function learnAboutOurselves(
    heard: HeldSection,
    records: Iterable<HeldRecord>,
    now: Millis,
  ): readonly RegistryOutput[] {
    const { epochNeeded } = own.compare(heard.wholeAt, records)
    if (epochNeeded === undefined) return tellOwn(own.buryStale(now), now)
    own.raiseEpoch(epochNeeded)
    const buried = tellOwn(own.buryStale(now), now)
    const everything = tellDirectly([...own.current().records.values()], now)
    return [{ kind: 'persistEpoch', epoch: epochNeeded }, changedNothing(self), ...buried, ...everything]
  }

  function onTick(now: Millis): readonly RegistryOutput[] {
    if (sweepAt === undefined || now < sweepAt) return []
    sweepAt = now + sweepIntervalMs
    own.dropOldTombstones(now)
    for (const [owner, section] of others) others.set(owner, withoutOldTombstones(section, now))
    return []
  }

  return {
    step,
    nextDeadline: () => sweepAt,
    localState: now => encodeState([own.current(), ...others.values()], now),
    sections: () => new Map<NodeName, Section>([[self, own.current()], ...others]),
  }
}

function changedNothing(owner: NodeName): RegistryOutput {
  return { kind: 'sectionChanged', owner, changes: [] }
}

function refused(reason: RegistryRefusal, count: number, detail: string): RegistryOutput {
  return { kind: 'refused', reason, count, detail }
}
