/** Clusters with labels and keys on virtual time: keys change while the cluster runs, and clusters stay apart. */
import { expect, test } from 'vitest'
import { membershipProfiles } from '../../src/core/membership/index.ts'
import type { GossipKey, Keyring, Output, Security } from '../../src/core/membership/index.ts'
import { aGossipKey, aSecurity, createSimCipher } from '../../src/testing/sim-cipher.ts'
import { createSimCluster } from '../../src/testing/sim-membership.ts'
import type { SimCluster, SimNode } from '../../src/testing/sim-membership.ts'

const seconds = 1_000
const [first, second] = [aGossipKey(1), aGossipKey(2)]
const five = ['a', 'b', 'c', 'd', 'e']

interface Cluster {
  readonly sim: SimCluster
  readonly nodes: readonly SimNode[]
}

/** All join the first. */
function started(seed: number, securityOf: (name: string) => Security | undefined, label?: string): Cluster {
  const sim = createSimCluster(seed)
  const nodes = five.map(name => {
    const security = securityOf(name)
    return sim.start(name, { ...(security && { security }), ...(label === undefined ? {} : { label }) })
  })
  for (const node of nodes.slice(1)) joins(node, nodes[0])
  sim.time.run(10 * seconds)
  return { sim, nodes }
}

function joins(node: SimNode, seed: SimNode | undefined): void {
  if (seed !== undefined) node.feed({ kind: 'join', addresses: [seed.address] })
}

/** One node after the other, seconds apart, while gossip and push/pull go on. */
function roll({ sim, nodes }: Cluster, keyring: Keyring): void {
  for (const node of nodes) {
    node.feed({ kind: 'keyringChanged', keyring })
    sim.time.run(3 * seconds)
  }
  sim.time.run(60 * seconds)
}

function expectAtPeace({ nodes }: Cluster): void {
  for (const node of nodes) {
    expect(nodes.map(other => node.statusOf(other.name))).toEqual(nodes.map(() => 'alive'))
    expect(node.machine.stats()).toMatchObject({ suspicions: 0, refutations: 0, probeFailures: 0 })
  }
  expect(refusals(nodes)).toEqual([])
}

function refusals(nodes: readonly SimNode[]): readonly string[] {
  return eventsOf(nodes, 'refused').map(({ reason }) => reason)
}

function eventsOf<K extends Output['kind']>(
  nodes: readonly SimNode[],
  kind: K,
): readonly Extract<Output, { kind: K }>[] {
  return nodes
    .flatMap(node => node.events.map(({ output }) => output))
    .filter((output): output is Extract<Output, { kind: K }> => output.kind === kind)
}

function shared(keyring: Keyring, over: Partial<Security> = {}): (name: string) => Security {
  const cipher = createSimCipher()
  return () => aSecurity(keyring, { cipher, ...over })
}

test('a key is exchanged while the cluster runs: installed, used, the old one removed, and nobody notices', () => {
  for (const seed of [1, 2]) {
    const cluster = started(seed, shared([first]), 'blue')
    roll(cluster, [first, second])
    roll(cluster, [second, first])
    roll(cluster, [second])
    expectAtPeace(cluster)
    expect(eventsOf(cluster.nodes, 'pushPullFinished').filter(({ ok }) => !ok)).toEqual([])
  }
})

test('a key that is used before all have it costs packets, and says so', () => {
  const cluster = started(1, shared([first]))
  cluster.nodes[0]?.feed({ kind: 'keyringChanged', keyring: [second, first] })
  cluster.sim.time.run(20 * seconds)
  expect(refusals(cluster.nodes)).toContain('badKey')
})

test('encryption is introduced into a running cluster: read, then write, then refuse what is in clear', () => {
  // verifyIncoming and verifyOutgoing are settings of a start, so each stage is a rolling restart.
  const cipher = createSimCipher()
  const stages: readonly Partial<Security>[] = [
    { verifyIncoming: false, verifyOutgoing: false },
    { verifyIncoming: false, verifyOutgoing: true },
    { verifyIncoming: true, verifyOutgoing: true },
  ]
  const { sim, nodes: begun } = started(1, () => undefined)
  const nodes = [...begun]
  for (const stage of stages) {
    for (const [index, name] of five.entries()) {
      const old = nodes[index]
      old?.kill()
      const security = aSecurity([first], { cipher, ...stage })
      const fresh = sim.start(name, { security, ...(old && { address: old.address }) })
      joins(fresh, nodes[(index + 1) % nodes.length])
      nodes[index] = fresh
      sim.time.run(2 * seconds)
      expect(refusals(nodes)).toEqual([])
    }
    sim.time.run(10 * seconds)
  }
  for (const node of nodes) expect(five.map(name => node.statusOf(name))).toEqual(five.map(() => 'alive'))
})

test.each<readonly [string, Security | undefined, string | undefined, readonly string[]]>([
  ['another key', aSecurity([second]), 'blue', ['badKey']],
  ['no key', undefined, 'blue', ['plaintext']],
  ['another label', aSecurity([first]), 'navy', ['wrongLabel']],
  ['no label', aSecurity([first]), undefined, ['wrongLabel']],
])('a node with %s does not get in, and nothing happens to the others', (_, security, label, reasons) => {
  const cluster = started(1, shared([first]), 'blue')
  const { sim, nodes } = cluster
  const stranger = sim.start('stranger', { ...(security && { security }), ...(label === undefined ? {} : { label }) })
  joins(stranger, nodes[0])
  sim.time.run(30 * seconds)
  expect(eventsOf([stranger], 'joinFinished')).toMatchObject([{ ok: false }])
  expect(stranger.machine.members().map(({ name }) => name)).toEqual(['stranger'])
  for (const node of nodes) expect(node.statusOf('stranger')).toBeUndefined()
  expect([...new Set(refusals(nodes))]).toEqual(reasons)
  expect(nodes.map(node => node.machine.stats().suspicions)).toEqual(nodes.map(() => 0))
})

test('two clusters on one network that share a key stay apart by their labels', () => {
  const sim = createSimCluster(1)
  const clusters = ['blue', 'navy'].map(label =>
    ['a', 'b', 'c'].map(name => sim.start(`${label}-${name}`, { label, security: shared([first])(name) })),
  )
  const everybody = clusters.flat()
  for (const node of everybody) node.feed({ kind: 'join', addresses: everybody.map(({ address }) => address) })
  sim.time.run(30 * seconds)
  for (const nodes of clusters)
    for (const node of nodes)
      expect(node.machine.members().map(({ name }) => name)).toEqual(nodes.map(({ name }) => name))
})

test('a run with keys is replayed from its seed byte for byte', () => {
  const digest = (): string => started(7, shared([first]), 'blue').sim.digest()
  expect(digest()).toBe(digest())
})

test('a cluster under the longest label keeps every packet within its budget', () => {
  // The simulated sockets throw when a packet is larger.
  const cluster = started(1, shared([first]), 'l'.repeat(255))
  for (const node of cluster.nodes)
    for (let i = 0; i < 20; i++)
      node.feed({ kind: 'broadcast', name: `news ${i}`, message: new Uint8Array(850 - 40 * i) })
  cluster.sim.time.run(30 * seconds)
  expectAtPeace(cluster)
  // Each is sent as often as the profile says for so few nodes, and nothing is lost.
  const times = membershipProfiles.tailnet.retransmitMin
  expect(eventsOf(cluster.nodes, 'userMessage')).toHaveLength(5 * 20 * times)
})

test('keys of all three sizes do', () => {
  const keys: readonly GossipKey[] = [16, 24, 32].map(size => new Uint8Array(size).fill(size))
  for (const key of keys) expectAtPeace(started(1, shared([key])))
})
