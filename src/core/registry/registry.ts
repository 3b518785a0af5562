/**
 * The registry machine: our own section, which we alone write, and what is known of everybody else's. Told of messages and
 * members, it answers what to send and what has changed. Pure: `now` arrives with every input.
 *
 * Every member's news reaches everybody in one of three ways: small records by gossip, where whoever learns something
 * passes it on; large ones straight from their owner; and all of it, sooner or later, by push/pull (exchange.ts). What a
 * push/pull brings to somebody who had missed it is passed on from there, large records to a few members at a time.
 * Nobody but a node itself changes its section; what others tell about us only shows what must be buried or outbid.
 */
import { unreachable } from '../../kernel/invariant.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import { decodeDelta } from './delta.ts'
import { decodeDigest } from './digest.ts'
import type { SectionDigest } from './digest.ts'
import { format, isFormat } from './envelope.ts'
import { createExchange } from './exchange.ts'
import { sectionsMax } from './limits.ts'
import { mergeRecords, mergeSection } from './merge.ts'
import type { Merge } from './merge.ts'
import { createOwnSection } from './own-section.ts'
import type { Section } from './record.ts'
import { emptySection, withoutOldTombstones } from './section.ts'
import type { HeldRecord, HeldSection } from './section.ts'
import { decodeState } from './state-exchange.ts'
import type { DecodedState } from './state-exchange.ts'
import { changedNothing, createTelling, refused } from './telling.ts'
import type { Registry, RegistryInput, RegistryOutput, RegistrySettings } from './types.ts'
import { createWaitingRoom } from './waiting-room.ts'

/** Tombstones live for a day; a few minutes more or less do not matter. */
const sweepIntervalMs: Millis = 600_000

/** More news than this in one push/pull is a resync; push/pull itself will carry it on, at less cost. */
const relayedPerStateMax = 200

/** Owners whose large records are passed on after one push/pull: each takes a message of its own, to several members. */
const largeRelaysPerStateMax = 16

/** After a digest the rest of a first push/pull follows in messages of its own, for about this long at most. */
const firstResyncMs: Millis = 10_000

export function createRegistry(settings: RegistrySettings): Registry {
  const { owner: self } = settings
  const telling = createTelling(settings)
  const own = createOwnSection(self, 1)
  const others = new Map<NodeName, HeldSection>()
  const present = new Set<NodeName>()
  const early = createWaitingRoom()
  const exchange = createExchange(self, () => [own.current(), ...others.values()])
  let sweepAt: Millis | undefined
  /** Until one of our agents has told us its state, everything we hear is old news to the others. */
  let acquaintedAt: Millis | undefined

  function step(input: RegistryInput): readonly RegistryOutput[] {
    const { now } = input
    sweepAt ??= now + sweepIntervalMs
    switch (input.kind) {
      case 'epochLoaded':
        own.raiseEpoch(input.epoch)
        return []
      case 'published':
        return telling.own(own.publish(input.changes, now), now)
      case 'completed':
        return [changedNothing(self), ...telling.own(own.complete(now), now)]
      case 'deltaReceived':
        return onMessage(input.bytes, now)
      case 'stateReceived':
        return onState(input.bytes, now, input.join ?? false)
      case 'memberPresent':
        present.add(input.name)
        return early.take(input.name, now).flatMap(bytes => onMessage(bytes, now))
      case 'memberGone':
        return onGone(input.name)
      case 'tick':
        return onTick(now)
      default:
        return unreachable(input)
    }
  }

  function onGone(name: NodeName): readonly RegistryOutput[] {
    const section = others.get(name)
    present.delete(name)
    others.delete(name)
    return section === undefined ? [] : [telling.withdraw(section), changedNothing(name)]
  }

  function onMessage(bytes: Uint8Array, now: Millis): readonly RegistryOutput[] {
    return isFormat(format.sections, bytes) ? onSections(bytes, now) : onDelta(bytes, now)
  }

  function onDelta(bytes: Uint8Array, now: Millis): readonly RegistryOutput[] {
    const delta = decodeDelta(bytes, now, heldOf)
    if (!delta.ok) return [refused(delta.error, 1, 'delta')]
    const { owner, direct, sender, records, brokenRecords } = delta.value
    const broken = brokenRecords === 0 ? [] : [refused('malformed', brokenRecords, `records in a delta of ${owner}`)]
    if (owner === self) return [...broken, ...learnAboutOurselves(own.current(), records, now)]
    const held = sectionOf(owner)
    if (held === 'tooManySections') return [...broken, refused(held, 1, `delta of ${owner}`)]
    if (held === 'unknownOwner') {
      const dropped = early.add(owner, bytes, now)
      return dropped === 0 ? [] : [refused(held, dropped, 'deltas of owners that did not become members')]
    }
    const merge = mergeRecords(held, records)
    return [...broken, ...adopt(merge), ...(direct ? [] : telling.relay(merge, now, { sender }))]
  }

  /** A peer's digest or its whole state: what we hold and it lacks is sent to it, unless our state went whole as well. */
  function onState(bytes: Uint8Array, now: Millis, join: boolean): readonly RegistryOutput[] {
    if (bytes.length === 0) return []
    if (isFormat(format.digest, bytes)) {
      const digest = decodeDigest(bytes)
      if (!digest.ok) return [refused(digest.error, 1, 'push/pull digest')]
      const { sender, sections } = digest.value
      return [...tell(sender, sections, now, join), ...getAcquainted(now, now + firstResyncMs)]
    }
    const isCompared = !exchange.sendsWhole(now, join)
    // Records of ours must not stand in for the peer's where the question is what the peer holds.
    const state = decodeState(format.wholeState, bytes, now, isCompared ? undefined : heldOf)
    if (!state.ok) return [refused(state.error, 1, 'push/pull state')]
    const { sender, sections } = state.value
    const digests = isCompared ? sections.map(section => exchange.digestOf(section, now)) : []
    const told = sender === undefined ? [] : tell(sender, digests, now, join)
    return [...told, ...takeIn(state.value, now), ...getAcquainted(now, now)]
  }

  function onSections(bytes: Uint8Array, now: Millis): readonly RegistryOutput[] {
    const state = decodeState(format.sections, bytes, now, heldOf)
    return state.ok ? takeIn(state.value, now) : [refused(state.error, 1, 'sections')]
  }

  function tell(to: NodeName, theirs: readonly SectionDigest[], now: Millis, join: boolean): readonly RegistryOutput[] {
    if (to === self) return []
    return exchange.answer(theirs, now, join).map(message => ({ kind: 'sendTo', to, message }))
  }

  function takeIn(state: DecodedState, now: Millis): readonly RegistryOutput[] {
    const { sender, sections, brokenSections, brokenRecords } = state
    const outputs: RegistryOutput[] = []
    const broken = brokenSections + brokenRecords
    if (broken > 0) outputs.push(refused('malformed', broken, 'sections and records of a push/pull'))
    let recordsMax = acquaintedAt !== undefined && acquaintedAt <= now ? relayedPerStateMax : 0
    let largeRelays = 0
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
      const relayed = telling.relay(merge, now, { sender, recordsMax, withLarge: largeRelays < largeRelaysPerStateMax })
      outputs.push(...adopt(merge), ...relayed)
      recordsMax -= Math.min(recordsMax, merge.changes.length)
      if (relayed.some(({ kind }) => kind === 'tellSome')) largeRelays++
    }
    return outputs
  }

  function getAcquainted(now: Millis, from: Millis): readonly RegistryOutput[] {
    const isFirst = acquaintedAt === undefined
    acquaintedAt = Math.min(acquaintedAt ?? from, from)
    if (!isFirst) return []
    return telling.directly([...own.current().records.values()], now)
  }

  function heldOf(owner: NodeName): HeldSection | undefined {
    return owner === self ? own.current() : others.get(owner)
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

  function learnAboutOurselves(
    heard: HeldSection,
    records: Iterable<HeldRecord>,
    now: Millis,
  ): readonly RegistryOutput[] {
    const { epochNeeded } = own.compare(heard.wholeAt, records)
    if (epochNeeded === undefined) return telling.own(own.buryStale(now), now)
    own.raiseEpoch(epochNeeded)
    const buried = telling.own(own.buryStale(now), now)
    const everything = telling.directly([...own.current().records.values()], now)
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
    localState: (now, join = false) => exchange.localState(now, join),
    sections: () => new Map<NodeName, Section>([[self, own.current()], ...others]),
  }
}
