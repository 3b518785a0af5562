/** Many nodes at once: a whole cluster that starts through one seed, and one that a power cut takes down together. */
import { expect, test } from 'vitest'
import { createSimCluster } from '../../src/testing/sim-membership.ts'
import type { SimCluster, SimNode } from '../../src/testing/sim-membership.ts'

const seconds = 1_000

test('a hundred nodes that start at once through one seed all see each other within ten seconds, and nobody is accused', () => {
  const sim = createSimCluster(1)
  const nodes = startAll(sim, 100)
  expect(secondsUntil(sim, () => nodes.every(node => sees(node, nodes)))).toBeLessThanOrEqual(10)
  expect(deathsIn(nodes)).toEqual([])
})

test('thirty nodes that lose power together are one cluster again soon after they are back', () => {
  const sim = createSimCluster(2)
  const before = startAll(sim, 33)
  sim.time.run(20 * seconds)
  const victims = before.slice(3)
  const survivors = before.slice(0, 3)
  for (const node of victims) node.kill()
  sim.time.run(20 * seconds)
  const [seed] = survivors
  const back = victims.map(({ name, address }) => sim.start(name, { address }))
  for (const node of back) node.feed({ kind: 'join', addresses: seed === undefined ? [] : [seed.address] })
  const nodes = [...survivors, ...back]
  const from = sim.time.now()
  expect(secondsUntil(sim, () => nodes.every(node => sees(node, nodes)))).toBeLessThanOrEqual(10)
  sim.time.run(20 * seconds)
  expect(nodes.every(node => sees(node, nodes))).toBe(true)
  expect(deathsIn(nodes, from)).toEqual([])
})

function startAll(sim: SimCluster, count: number): readonly SimNode[] {
  const nodes = Array.from({ length: count }, (_, i) => sim.start(`n${i}`))
  const [seed, ...others] = nodes
  for (const node of others) node.feed({ kind: 'join', addresses: seed === undefined ? [] : [seed.address] })
  return nodes
}

/** Looks once a second: in a large cluster looking costs more than running it. */
function secondsUntil(sim: SimCluster, isSo: () => boolean): number {
  const from = sim.time.now()
  while (!isSo() && sim.time.now() - from < 60 * seconds) sim.time.run(1 * seconds)
  return (sim.time.now() - from) / seconds
}

function sees(node: SimNode, nodes: readonly SimNode[]): boolean {
  const members = node.machine.members()
  return members.length === nodes.length && members.every(({ status }) => status === 'alive')
}

function deathsIn(nodes: readonly SimNode[], from = 0): readonly string[] {
  return nodes.flatMap(node =>
    node.events.flatMap(({ at, output }) =>
      at >= from && output.kind === 'memberChanged' && output.member.status === 'dead'
        ? [`${node.name}: ${output.member.name}`]
        : [],
    ),
  )
}
