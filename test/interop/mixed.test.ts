/**
 * Clusters of five, ours and theirs together: nobody is accused who is there, everybody agrees on who died, and two halves
 * that were cut apart find each other again.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { lanConfig } from '../../src/core/membership/index.ts'
import type { MembershipConfig } from '../../src/core/membership/index.ts'
import { programProbe, requirePartner } from '../integration/partners.ts'
import { seedOf } from '../integration/real-cluster.ts'
import { goPeerProbe, startGoPeer, storyOf } from './go-peer.ts'
import type { GoPeer } from './go-peer.ts'
import { accusedBy, endEverybody, probeRounds, startOurs, suspectedBy, untilAllSeeAll, within } from './rig.ts'
import type { Node } from './rig.ts'
import { startSerf } from './serf-agent.ts'
import type { SerfAgent } from './serf-agent.ts'

const hasMemberlist = await requirePartner('memberlist', goPeerProbe)
const hasSerf = await requirePartner('serf', programProbe('serf', ['version']))

const agents: SerfAgent[] = []

afterAll(async () => {
  await endEverybody()
  for (const agent of agents.splice(0)) await agent.kill()
})

/** Gossip may miss one of many who join at once; a push/pull, due every 30 s, makes up for it. */
const gossipOrPushPullMs = 45_000

type Peer = Node | GoPeer

function isOurs(peer: Peer): peer is Node {
  return 'handle' in peer
}

/** Whom anybody here ever accused or saw go. */
function accused(peers: readonly Peer[]): readonly string[] {
  return peers.flatMap(peer => {
    if (isOurs(peer)) return accusedBy(peer)
    const gone = peers.filter(({ name }) => storyOf(peer, name).includes('leave')).map(({ name }) => name)
    return [...suspectedBy(peer), ...gone]
  })
}

async function kill(peer: Peer): Promise<void> {
  if (isOurs(peer)) await peer.handle.stop()
  else await peer.kill()
}

async function cut(peer: Peer, others: readonly Peer[]): Promise<void> {
  const addresses = others.map(({ address }) => address)
  if (isOurs(peer)) peer.wire.cut('all', ...addresses)
  else await peer.cut('all', ...addresses)
}

async function cutApart(left: readonly Peer[], right: readonly Peer[]): Promise<void> {
  await Promise.all([...left.map(peer => cut(peer, right)), ...right.map(peer => cut(peer, left))])
}

async function heal(peer: Peer): Promise<void> {
  if (isOurs(peer)) peer.wire.heal()
  else await peer.heal()
}

async function threeAndTwo() {
  const [go1, go2] = [await startGoPeer('go-1'), await startGoPeer('go-2')]
  const ours1 = await startOurs('ours-1', { seeds: [`127.0.0.1:${go1.address.port}`] })
  const ours2 = await startOurs('ours-2', { seeds: seedOf(ours1) })
  const ours3 = await startOurs('ours-3', { seeds: seedOf(ours1) })
  await untilAllSeeAll([ours1, ours2, ours3, go1], gossipOrPushPullMs)
  await go2.join(ours2.address)
  const all = [ours1, ours2, ours3, go1, go2] as const
  await untilAllSeeAll(all, gossipOrPushPullMs)
  await probeRounds(ours1, 5)
  expect(accused(all)).toEqual([])
  return { ours1, ours2, ours3, go1, go2, all }
}

describe.skipIf(!hasMemberlist).concurrent('three of us and two of memberlist', () => {
  test('one of each kind dies: the three that remain agree within 15 s', async () => {
    const { ours1, ours2, ours3, go1, go2 } = await threeAndTwo()
    const survivors = [ours1, ours2, go1]
    await Promise.all([kill(ours3), kill(go2)])
    await within(15_000, async () => {
      for (const node of [ours1, ours2])
        expect([node.statusOf('ours-3'), node.statusOf('go-2')]).toEqual(['dead', 'dead'])
      expect((await go1.members()).map(({ name }) => name)).toEqual(['go-1', 'ours-1', 'ours-2'])
    })
    await probeRounds(ours1, 3)
    expect(accused(survivors).filter(name => name !== 'ours-3' && name !== 'go-2')).toEqual([])
  })

  test('a partition through both kinds heals: all are alive again within 60 s', { timeout: 300_000 }, async () => {
    const { ours1, ours2, ours3, go1, go2, all } = await threeAndTwo()
    const [left, right] = [
      [ours1, ours2, go1],
      [ours3, go2],
    ]
    await cutApart(left, right)
    // With two accusers missing a suspicion lasts its longest, 24 s.
    await Promise.all([untilAllSeeAll(left, 60_000), untilAllSeeAll(right, 60_000)])
    ours1.publish({ containerId: 'left' })
    ours3.publish({ containerId: 'right' })
    await Promise.all(all.map(heal))
    await untilAllSeeAll(all, 60_000)
    // Records come with a push/pull between two of ours, and each round of those goes to one of theirs half of the time.
    await within(150_000, () => {
      for (const node of [ours1, ours2, ours3])
        expect([node.recordsOf('ours-1'), node.recordsOf('ours-3')]).toEqual([['i/left'], ['i/right']])
    })
  })
})

describe.skipIf(!hasMemberlist || !hasSerf).concurrent('two of us, two of memberlist and a serf', () => {
  test('all see all, and the death of one of each kind', async () => {
    // serf joins nobody whose application speaks other versions.
    const membership: MembershipConfig = { ...lanConfig, versions: [1, 5, 2, 2, 5, 4] }
    const delegate = [2, 5, 4] as const
    const serf = await startSerf('serf')
    agents.push(serf)
    await within(10_000, async () => expect(await serf.statusOf('serf')).toBe('alive'))
    const ours1 = await startOurs('ours-1', { membership, seeds: [`127.0.0.1:${serf.address.port}`] })
    const ours2 = await startOurs('ours-2', { membership, seeds: seedOf(ours1) })
    const [go1, go2] = [await startGoPeer('go-1', { delegate }), await startGoPeer('go-2', { delegate })]
    await go1.join(ours1.address)
    await go2.join(serf.address)
    const statuses = () => Promise.all(['ours-1', 'ours-2', 'go-1', 'go-2'].map(name => serf.statusOf(name)))

    const four = [ours1, ours2, go1, go2]
    await untilAllSeeAll(four, gossipOrPushPullMs, 'serf')
    await within(gossipOrPushPullMs, async () => expect(await statuses()).toEqual(['alive', 'alive', 'alive', 'alive']))
    await probeRounds(ours1, 5)
    expect(accused(four)).toEqual([])
    expect(serf.output()).not.toMatch(/Suspect \S+ has failed/)

    await Promise.all([kill(ours2), kill(go2)])
    await untilAllSeeAll([ours1, go1], 15_000, 'serf')
    await within(15_000, async () => expect(await statuses()).toEqual(['alive', 'failed', 'alive', 'failed']))
    // Two are too few to hurry a suspicion: in a cluster that was five shortly before it may take its longest, 24 s.
    await serf.kill()
    await untilAllSeeAll([ours1, go1], 45_000)
  })
})
