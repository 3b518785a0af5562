/**
 * Our cluster beside nodes of HashiCorp's memberlist, message kind by message kind and in both directions. What they do
 * is the measure: a difference is our bug until shown otherwise.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { lanConfig, messageType } from '../../src/core/membership/index.ts'
import type { MembershipConfig } from '../../src/core/membership/index.ts'
import { decodeProfile, encodeProfile } from '../../src/core/registry/index.ts'
import { concatBytes, fromHex, textOf, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { formatAddress } from '../../src/kernel/units.ts'
import { aProfile } from '../../src/testing/builders.ts'
import { requirePartner } from '../integration/partners.ts'
import { freeAddress, seedOf } from '../integration/real-cluster.ts'
import { goPeerProbe, messagesOf, startGoPeer, storyOf } from './go-peer.ts'
import type { GoPeerSettings } from './go-peer.ts'
import {
  accusedBy,
  endEverybody,
  pair,
  probeRounds,
  startOurs,
  suspectedBy,
  untilAllSeeAll,
  within,
  worstHealthOf,
} from './rig.ts'
import type { Node } from './rig.ts'
import { messagesOn } from './wire.ts'

/** Type bytes of wrappers. */
const { compressed, hasCrc } = messageType

const hasMemberlist = await requirePartner('memberlist', goPeerProbe)

afterAll(endEverybody)

describe.skipIf(!hasMemberlist).concurrent('beside a memberlist node', () => {
  describe('joining', () => {
    test('we join them: each holds the other with its address, metadata and versions', async () => {
      const meta = utf8('of theirs')
      const { ours, theirs } = await pair({}, { meta })
      const told = (await theirs.members()).find(({ name }) => name === 'ours')
      expect(told).toMatchObject({
        address: formatAddress(ours.address),
        meta: toHex(encodeProfile(aProfile())),
        versions: [...lanConfig.versions],
      })
      const member = ours.handle.snapshot().members.find(({ name }) => name === 'theirs')
      expect(member).toMatchObject({ address: theirs.address, meta, versions: Uint8Array.of(1, 5, 2, 1, 1, 1) })
      expect(decodeProfile(meta)).toBeUndefined()
      expect(storyOf(theirs, 'ours')).toEqual(['join'])
    })

    test('they join us', async () => {
      const ours = await startOurs('ours')
      const theirs = await startGoPeer('theirs')
      await theirs.join(ours.address)
      await untilAllSeeAll([ours, theirs])
    })

    test('who is vetoed by their application is not there, and takes no harm', async () => {
      const theirs = await startGoPeer('theirs')
      await theirs.veto('ours')
      const ours = await startOurs('ours', { seeds: [formatAddress(theirs.address)] })
      await within(5_000, () => expect(ours.statusOf('theirs')).toBe('alive'))
      await probeRounds(ours, 2)
      expect((await theirs.members()).map(({ name }) => name)).toEqual(['theirs'])
      expect(ours.statusOf('theirs')).toBe('alive')
    })
  })

  describe('probing', () => {
    test('they answer our pings and we theirs, round after round', async () => {
      const { ours, theirs } = await pair()
      expect(await theirs.ping('ours')).toBeLessThan(500)
      await probeRounds(ours, 5)
      expect(messagesOn(ours.wire, 'in', 'ack').length).toBeGreaterThanOrEqual(4)
      expect(messagesOn(ours.wire, 'out', 'ack').length).toBeGreaterThanOrEqual(3)
      expect(ours.handle.stats()).toMatchObject({ suspicions: 0, refutations: 0, probeFailures: 0, healthScore: 0 })
      expect(suspectedBy(theirs)).toEqual([])
      expect(worstHealthOf(theirs)).toBe(0)
    })

    test('we ping for them, and say in time when it was in vain', async () => {
      const { ours, theirs } = await pair()
      const third = await startGoPeer('third')
      await third.join(theirs.address)
      await untilAllSeeAll([ours, theirs, third])
      await third.kill()
      await within(10_000, () => expect(suspectedBy(theirs)).toContain('third'))
      expect(messagesOn(ours.wire, 'out', 'nack').length).toBeGreaterThanOrEqual(1)
      // A nack that came late or not at all counts against the health of who waited for it.
      expect(worstHealthOf(theirs)).toBe(0)
      expect(suspectedBy(theirs)).not.toContain('ours')
    })

    test('they tell us when they pinged for us in vain', async () => {
      const { ours, theirs } = await pair()
      const third = await startGoPeer('third')
      await third.join(theirs.address)
      await untilAllSeeAll([ours, theirs, third])
      await third.kill()
      await within(10_000, () => expect(ours.handle.stats().probeFailures).toBeGreaterThanOrEqual(1))
      await within(2_000, () => expect(messagesOn(ours.wire, 'in', 'nack').length).toBeGreaterThanOrEqual(1))
      // Theirs leaves when our round ends, and may lose that race; it costs one point at most.
      expect(ours.handle.stats().healthScore).toBeLessThanOrEqual(1)
      expect(ours.statusOf('theirs')).toBe('alive')
    })

    test('cut off from each other, we and a third live by what theirs pings for us', async () => {
      const { ours, theirs } = await pair()
      const third = await startGoPeer('third')
      await third.join(theirs.address)
      await untilAllSeeAll([ours, theirs, third])
      ours.wire.cut('all', third.address)
      await third.cut('all', ours.address)
      // Of every two rounds one is for the third.
      await probeRounds(ours, 6)
      expect(messagesOn(ours.wire, 'out', 'indirectPing').length).toBeGreaterThanOrEqual(2)
      expect(messagesOn(ours.wire, 'in', 'indirectPing')).toEqual([])
      expect(ours.handle.stats()).toMatchObject({ suspicions: 0, probeFailures: 0 })
      expect(suspectedBy(third)).toEqual([])
    })

    test('two of theirs that are cut off from each other live by what we ping for them', async () => {
      const { ours, theirs } = await pair()
      const third = await startGoPeer('third')
      await third.join(theirs.address)
      await untilAllSeeAll([ours, theirs, third])
      await theirs.cut('all', third.address)
      await third.cut('all', theirs.address)
      await within(20_000, () => expect(messagesOn(ours.wire, 'in', 'indirectPing').length).toBeGreaterThanOrEqual(4))
      await probeRounds(ours, 2)
      expect([...suspectedBy(theirs), ...suspectedBy(third), ...accusedBy(ours)]).toEqual([])
    })

    test('without UDP towards them our pings reach them over TCP', async () => {
      const { ours, theirs } = await pair()
      const before = ours.wire.dialsTo(theirs.address)
      ours.wire.cut('udp', theirs.address)
      await probeRounds(ours, 4)
      expect(ours.wire.dialsTo(theirs.address)).toBeGreaterThanOrEqual(before + 3)
      expect(ours.handle.stats()).toMatchObject({ suspicions: 0, probeFailures: 0 })
      // Our acks are lost as well, so they live by TCP too.
      expect(theirs.log()).toMatch(/Was able to connect to ours/)
      expect(suspectedBy(theirs)).toEqual([])
    })

    test('without UDP towards us their pings reach us over TCP', async () => {
      const { ours, theirs } = await pair()
      await theirs.cut('udp', ours.address)
      await probeRounds(ours, 4)
      await within(5_000, () => expect(theirs.log()).toMatch(/Was able to connect to ours/))
      expect(suspectedBy(theirs)).toEqual([])
      expect(accusedBy(ours)).toEqual([])
    })
  })

  describe('the application', () => {
    test('their state of a push/pull is foreign to us, ours reaches them whole', async () => {
      const state = utf8('nothing of ours')
      const theirs = await startGoPeer('theirs', { state })
      const ours = await startOurs('ours')
      ours.publish({ containerId: 'first' })
      await theirs.join(ours.address)
      await untilAllSeeAll([ours, theirs])
      const [heard] = theirs.events.flatMap(line => (line.event === 'state' ? [line] : []))
      expect(textOf(fromHex(heard?.hex ?? ''))).toContain('first')
      expect(heard?.join).toBe(true)
      expect([...ours.handle.snapshot().sections.keys()]).toEqual(['ours'])
      expect(ours.log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
      expect(ours.handle.snapshot().synced).toBe(true)
    })

    test('foreign messages, gossiped, sent in a packet and over TCP, disturb nobody', async () => {
      const { ours, theirs } = await pair()
      const large = utf8('z'.repeat(100_000))
      await theirs.gossip(utf8('gossiped'))
      await theirs.send('udp', 'ours', utf8('in a packet'))
      await theirs.send('tcp', 'ours', large)
      const heard = (): readonly string[] => messagesOn(ours.wire, 'in', 'user').map(({ bytes }) => textOf(bytes))
      await within(5_000, () => expect(heard()).toEqual(expect.arrayContaining(['gossiped', 'in a packet'])))
      await probeRounds(ours, 2)
      expect([...ours.handle.snapshot().sections.keys()]).toEqual(['ours'])
      expect(ours.log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
      expect(ours.statusOf('theirs')).toBe('alive')
    })

    test.each(['gossip', 'udp', 'tcp'] as const)(
      'records travel through them untouched, handed on by %s',
      async via => {
        const { ours, theirs } = await pair()
        const second = await startOurs('second', { seeds: [formatAddress(theirs.address)] })
        await untilAllSeeAll([ours, second, theirs])
        ours.wire.cut('all', second.address)
        second.wire.cut('all', ours.address)
        ours.publish({ containerId: 'small' }, { containerId: 'large', reason: 'x'.repeat(3_000) })
        await within(5_000, () => expect(messagesOf(theirs).length).toBeGreaterThanOrEqual(2))
        for (const message of messagesOf(theirs)) {
          // What is too large for their packets they can only send over TCP.
          if (via === 'gossip' && message.length < 1_200) await theirs.gossip(message)
          else await theirs.send(message.length < 1_200 && via === 'udp' ? 'udp' : 'tcp', 'second', message)
        }
        await within(5_000, () => expect(second.recordsOf('ours')).toEqual(['i/large', 'i/small']))
      },
    )

    test('a change of metadata is seen on the other side, both ways', async () => {
      const { ours, theirs } = await pair()
      await theirs.setMeta(utf8('newer'))
      const metaOf = (node: Node): string =>
        textOf(node.handle.snapshot().members.find(({ name }) => name === 'theirs')?.meta ?? new Uint8Array())
      await within(5_000, () => expect(metaOf(ours)).toBe('newer'))
      const profile = aProfile({ priority: 77 })
      ours.handle.setProfile(profile)
      await within(5_000, async () => {
        expect((await theirs.members()).find(({ name }) => name === 'ours')?.meta).toBe(toHex(encodeProfile(profile)))
      })
      expect(storyOf(theirs, 'ours')).toEqual(['join', 'update'])
    })
  })

  describe('going', () => {
    test('who of them leaves has left', async () => {
      const { ours, theirs } = await pair()
      await theirs.leave()
      await within(5_000, () => expect(ours.statusOf('theirs')).toBe('left'))
      expect(accusedBy(ours)).toEqual([])
    })

    test('we leave and are gone for them at once, unsuspected', async () => {
      const { ours, theirs } = await pair()
      await ours.handle.leave(5_000)
      await within(2_000, () => expect(storyOf(theirs, 'ours')).toEqual(['join', 'leave']))
      expect(suspectedBy(theirs)).toEqual([])
    })

    test('who is killed among them is dead within 15 s, and comes back by joining again', async () => {
      const { ours, theirs } = await pair()
      await theirs.kill()
      await within(15_000, () => expect(ours.statusOf('theirs')).toBe('dead'))
      const again = await startGoPeer('theirs', { address: theirs.address })
      await again.join(ours.address)
      await within(5_000, () => expect(ours.statusOf('theirs')).toBe('alive'))
    })

    test('when we stop without a word they take us for failed within 15 s; back again, we are a member', async () => {
      const { ours, theirs } = await pair()
      await ours.handle.stop()
      await within(15_000, () => expect(storyOf(theirs, 'ours')).toEqual(['join', 'leave']))
      const { address, directory } = ours
      const again = await startOurs('ours', { address, directory, seeds: [formatAddress(theirs.address)] })
      await untilAllSeeAll([again, theirs])
    })
  })

  describe('names', () => {
    test('the second bearer of a name is kept out on both sides', async () => {
      const { ours, theirs } = await pair()
      const impostor = await startGoPeer('theirs')
      await expect(impostor.join(ours.address)).rejects.toThrow(/belongs to/)
      expect(ours.handle.snapshot().members.find(({ name }) => name === 'theirs')?.address).toEqual(theirs.address)
      const twin = await startOurs('ours', { seeds: [formatAddress(theirs.address)] })
      await within(5_000, () => expect(storyOf(theirs, 'ours')).toContain('conflict'))
      const held = (await theirs.members()).find(({ name }) => name === 'ours')
      expect(held?.address).toBe(formatAddress(ours.address))
      await twin.handle.stop()
    })

    test('one of them that died may come back from another address', async () => {
      const { ours, theirs } = await pair({ membership: { ...lanConfig, deadReclaimMs: 100 } })
      await theirs.kill()
      await within(15_000, () => expect(ours.statusOf('theirs')).toBe('dead'))
      const moved = await startGoPeer('theirs')
      await within(5_000, async () => {
        await moved.join(ours.address)
        expect(ours.statusOf('theirs')).toBe('alive')
      })
      expect(ours.handle.snapshot().members.find(({ name }) => name === 'theirs')?.address).toEqual(moved.address)
    })

    test('we may come back from another address after we died', async () => {
      const { ours, theirs } = await pair({}, { reclaimMs: 100 })
      await ours.handle.stop()
      await within(15_000, () => expect(storyOf(theirs, 'ours')).toEqual(['join', 'leave']))
      const moved = await startOurs('ours', { directory: ours.directory, seeds: [formatAddress(theirs.address)] })
      await within(10_000, async () => {
        const held = (await theirs.members()).find(({ name }) => name === 'ours')
        expect(held?.address).toBe(formatAddress(moved.address))
      })
      await untilAllSeeAll([moved, theirs])
    })
  })

  describe('versions', () => {
    test.each([1, 2, 3, 4, 5] as const)('a peer that speaks protocol %i is a member like any other', async protocol => {
      // Protocol 1 knows no ports: whoever speaks it looks for others at its own.
      const { port } = await freeAddress()
      const at = (ip: string) => ({ address: { ip, port } })
      const { ours, theirs } = await pair(at('127.0.0.21'), { ...at('127.0.0.22'), protocol })
      await probeRounds(ours, 3)
      expect([...suspectedBy(theirs), ...accusedBy(ours)]).toEqual([])
      const member = ours.handle.snapshot().members.find(({ name }) => name === 'theirs')
      expect(member?.versions).toEqual(Uint8Array.of(1, 5, protocol, 1, 1, 1))
    })

    const upTo = (most: number): MembershipConfig => ({ ...lanConfig, versions: [1, most, 2, 1, 1, 1] })

    test.each([2, 3, 4, 5])('when we understand protocol %i at most, they send nothing beyond it', async most => {
      const { ours, theirs } = await pair({ membership: upTo(most) })
      const third = await startGoPeer('third')
      await third.join(theirs.address)
      await untilAllSeeAll([ours, theirs, third])
      // Two of theirs that need us in between show whether they want a nack of us.
      await theirs.cut('udp', third.address)
      await within(15_000, () => expect(messagesOn(ours.wire, 'in', 'indirectPing').length).toBeGreaterThanOrEqual(1))
      for (const { wantsNack } of messagesOn(ours.wire, 'in', 'indirectPing')) expect(wantsNack).toBe(most >= 4)
      // Gossip rounds are for members they know, and so carry a checksum if the member reads it; what rides on a ping does
      // not, so the news are told again until a round has carried them.
      const gossip = () => ours.wire.packets.filter(({ bytes }) => textOf(bytes).includes('gossiped'))
      const checked = () => gossip().filter(({ bytes }) => bytes[0] === hasCrc)
      await within(10_000, async () => {
        await theirs.gossip(utf8('gossiped'))
        expect((most >= 5 ? checked() : gossip()).length).toBeGreaterThanOrEqual(1)
      })
      if (most < 5) expect(checked()).toEqual([])
    })

    test.each([2, 3])('they try us over TCP only if we understand it: protocol %i', async most => {
      const { ours, theirs } = await pair({ membership: upTo(most) })
      await theirs.cut('udp', ours.address)
      if (most >= 3) {
        await within(10_000, () => expect(theirs.log()).toMatch(/Was able to connect to ours/))
        expect(suspectedBy(theirs)).toEqual([])
      } else {
        await within(10_000, () => expect(suspectedBy(theirs)).toContain('ours'))
        expect(theirs.log()).not.toMatch(/Was able to connect to ours/)
      }
    })

    test('who speaks what the other does not understand is kept out, and told why, on both sides', async () => {
      const theirs = await startGoPeer('theirs', { protocol: 5 })
      const ours = await startOurs('ours', { membership: upTo(4), seeds: [formatAddress(theirs.address)] })
      await expect(theirs.join(ours.address)).rejects.toThrow(/theirs speaks protocol 5, all support 1 to 4|range/)
      await within(5_000, () => {
        expect(
          ours.metrics.value('constellation_gossip_refused_total', { reason: 'incompatibleVersion' }),
        ).toBeGreaterThan(0)
      })
      expect(ours.statusOf('theirs')).toBeUndefined()
      expect((await theirs.members()).map(({ name }) => name)).toEqual(['theirs'])
    })

    test('another application, by its delegate version, is kept out as well', async () => {
      const theirs = await startGoPeer('theirs', { delegate: [2, 5, 4] })
      const ours = await startOurs('ours', { seeds: [formatAddress(theirs.address)] })
      await expect(theirs.join(ours.address)).rejects.toThrow()
      expect(ours.statusOf('theirs')).toBeUndefined()
    })
  })

  describe('compression', () => {
    test.each<[string, GoPeerSettings]>([
      ['as they have it', {}],
      ['switched off', { compress: false }],
    ])('%s: gossip and states reach us', async (_, settings) => {
      const state = utf8('state '.repeat(1_000))
      const { ours, theirs } = await pair({}, { ...settings, state })
      const message = concatBytes([utf8('again '.repeat(150))])
      await theirs.gossip(message)
      const heard = () => messagesOn(ours.wire, 'in', 'user').map(({ bytes }) => toHex(bytes))
      await within(5_000, () => expect(heard()).toContain(toHex(message)))
      const carrier = ours.wire.packets.find(
        ({ direction, messages }) =>
          direction === 'in' && messages.some(other => other.kind === 'user' && toHex(other.bytes) === toHex(message)),
      )
      const [type, afterCrc] = [carrier?.bytes[0], carrier?.bytes[5]]
      expect((type === hasCrc ? afterCrc : type) === compressed).toBe(settings.compress !== false)
      expect(ours.metrics.value('constellation_gossip_refused_total', { reason: 'malformed' })).toBe(0)
    })
  })

  test('a cluster grows over them: who joins them sees us, who joins us sees them', async () => {
    const { ours, theirs } = await pair()
    const fourth = await startGoPeer('fourth')
    await fourth.join(ours.address)
    const third = await startOurs('third', { seeds: seedOf(ours) })
    await untilAllSeeAll([ours, theirs, third, fourth])
  })
})
