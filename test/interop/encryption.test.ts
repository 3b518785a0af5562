/** Gossip that is encrypted, between us and memberlist: every size of key, keys that change while it runs, strangers. */
import { afterAll, describe, expect, test } from 'vitest'
import { aesGcm } from '../../src/adapters/node/aes-gcm.ts'
import { keyFingerprint } from '../../src/adapters/node/key-fingerprint.ts'
import { lanConfig } from '../../src/core/membership/index.ts'
import type { Security } from '../../src/core/membership/index.ts'
import { textOf, utf8 } from '../../src/kernel/bytes.ts'
import { formatAddress } from '../../src/kernel/units.ts'
import { requirePartner } from '../integration/partners.ts'
import { freeAddress } from '../integration/real-cluster.ts'
import type { RealClusterSettings } from '../integration/real-cluster.ts'
import { goPeerProbe, messagesOf, startGoPeer, storyOf } from './go-peer.ts'
import { accusedBy, endEverybody, pair, probeRounds, startOurs, suspectedBy, untilAllSeeAll, within } from './rig.ts'

const hasMemberlist = await requirePartner('memberlist', goPeerProbe)

afterAll(endEverybody)

const keyOf = (sizeBytes: number, first = 1): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, i) => first + i)
const [first, second] = [keyOf(32), keyOf(32, 100)]

function withKeys(keyring: readonly Uint8Array[], over: Partial<Security> = {}): RealClusterSettings {
  const security: Security = { cipher: aesGcm(), keyring, verifyIncoming: true, verifyOutgoing: true, ...over }
  const keyKeeper = { fingerprint: keyFingerprint, keep: () => Promise.resolve() }
  return { ports: { security, keyKeeper } }
}

describe.skipIf(!hasMemberlist).concurrent('encrypted beside a memberlist node', () => {
  test.each([16, 24, 32])('with a key of %i bytes everything works as in clear', async size => {
    const key = keyOf(size)
    const { ours, theirs } = await pair(withKeys([key]), { keys: [key] })
    ours.publish({ containerId: 'small' }, { containerId: 'large', reason: 'x'.repeat(3_000) })
    await within(5_000, () => expect(messagesOf(theirs).length).toBeGreaterThanOrEqual(2))
    await theirs.send('tcp', 'ours', utf8('z'.repeat(100_000)))
    await theirs.gossip(utf8('gossiped'))
    await probeRounds(ours, 3)
    expect(ours.handle.stats()).toMatchObject({ suspicions: 0, refutations: 0, probeFailures: 0 })
    expect(suspectedBy(theirs)).toEqual([])
    for (const { bytes } of ours.wire.packets) expect(bytes[0]).toBe(1)
    for (const reason of ['badKey', 'plaintext', 'malformed'])
      expect({ reason, count: ours.metrics.value('constellation_gossip_refused_total', { reason }) }).toMatchObject({
        count: 0,
      })
    await theirs.leave()
    await within(5_000, () => expect(ours.statusOf('theirs')).toBe('left'))
  })

  test('protocol 1 pads what it encrypts: version 0', async () => {
    const { port } = await freeAddress()
    const [here, there] = [
      { ip: '127.0.0.23', port },
      { ip: '127.0.0.24', port },
    ]
    const { ours } = await pair({ ...withKeys([first]), address: here }, { address: there, keys: [first], protocol: 1 })
    await probeRounds(ours, 3)
    expect(accusedBy(ours)).toEqual([])
    const versions = ours.wire.packets.filter(({ direction }) => direction === 'in').map(({ bytes }) => bytes[0])
    expect(new Set(versions)).toEqual(new Set([0]))
  })

  test('fallback pings over TCP are encrypted as well', async () => {
    const { ours, theirs } = await pair(withKeys([first]), { keys: [first] })
    ours.wire.cut('udp', theirs.address)
    await theirs.cut('udp', ours.address)
    await probeRounds(ours, 3)
    await within(5_000, () => expect(theirs.log()).toMatch(/Was able to connect to ours/))
    expect([...suspectedBy(theirs), ...accusedBy(ours)]).toEqual([])
  })

  test('packets of ours that are compressed and encrypted are read', async () => {
    const membership = { ...lanConfig, compressPackets: true }
    const { ours, theirs } = await pair({ ...withKeys([first]), membership }, { keys: [first] })
    ours.publish({ containerId: 'compressible', reason: 'again '.repeat(100) })
    await within(5_000, () => expect(messagesOf(theirs).map(textOf).join()).toContain('again again'))
    await probeRounds(ours, 2)
    expect([...suspectedBy(theirs), ...accusedBy(ours)]).toEqual([])
  })

  test('a key is changed while the cluster runs, and nobody is lost', async () => {
    const { ours, theirs } = await pair(withKeys([first]), { keys: [first] })
    await theirs.key('add', second)
    await ours.handle.keys({ kind: 'install', key: second }, 2_000)
    await theirs.key('use', second)
    await probeRounds(ours, 2)
    // Now they encrypt with the second key, we still with the first.
    await ours.handle.keys({ kind: 'use', fingerprint: keyFingerprint(second) }, 2_000)
    await probeRounds(ours, 2)
    await theirs.key('remove', first)
    await ours.handle.keys({ kind: 'remove', fingerprint: keyFingerprint(first) }, 2_000)
    ours.publish({ containerId: 'after' })
    await within(5_000, () => expect(messagesOf(theirs).map(textOf).join()).toContain('after'))
    await probeRounds(ours, 2)
    expect([...suspectedBy(theirs), ...accusedBy(ours)]).toEqual([])
    expect(ours.metrics.value('constellation_gossip_refused_total', { reason: 'badKey' })).toBe(0)
    // Who still has the old key only is a stranger.
    const old = await startGoPeer('old', { keys: [first] })
    await expect(old.join(ours.address)).rejects.toThrow()
    expect(ours.statusOf('old')).toBeUndefined()
  })

  test.each([
    ['another key', [second], 'badKey'],
    ['no key', [], 'plaintext'],
  ])('they have %s: kept out on both sides', async (_, keys, reason) => {
    const theirs = await startGoPeer('theirs', { keys })
    const ours = await startOurs('ours', { ...withKeys([first]), seeds: [formatAddress(theirs.address)] })
    await expect(theirs.join(ours.address)).rejects.toThrow()
    await within(5_000, () => {
      expect(ours.metrics.value('constellation_gossip_refused_total', { reason })).toBeGreaterThan(0)
      expect(theirs.log()).toMatch(/\[ERR\] memberlist: .*(ncrypt|ecrypt)/)
    })
    expect(ours.statusOf('theirs')).toBeUndefined()
    expect(storyOf(theirs, 'ours')).toEqual([])
  })

  test('they have a key and we have none: kept out on both sides', async () => {
    const theirs = await startGoPeer('theirs', { keys: [first] })
    const ours = await startOurs('ours', { seeds: [formatAddress(theirs.address)] })
    await expect(theirs.join(ours.address)).rejects.toThrow()
    await within(5_000, () => {
      expect(ours.metrics.value('constellation_gossip_refused_total', { reason: 'encrypted' })).toBeGreaterThan(0)
    })
    expect(ours.statusOf('theirs')).toBeUndefined()
    expect(storyOf(theirs, 'ours')).toEqual([])
  })

  test('while keys are introduced, who does not verify talks with both kinds', async () => {
    const halfway = { verifyIncoming: false, verifyOutgoing: false }
    const { ours, theirs } = await pair(withKeys([first], halfway), { keys: [first], ...halfway })
    const clear = await startGoPeer('clear')
    await clear.join(ours.address)
    await untilAllSeeAll([ours, theirs, clear])
    await probeRounds(ours, 4)
    expect([...suspectedBy(theirs), ...suspectedBy(clear), ...accusedBy(ours)]).toEqual([])
  })
})
