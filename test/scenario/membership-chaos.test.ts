/**
 * Random trouble on virtual time: kills, restarts, stalls, cuts and loss, drawn from a seed. Whatever happened, a minute
 * after peace returns everybody holds the same view. Set SEEDS to run more of them.
 */
import { expect, test } from 'vitest'
import { createPrng } from '../../src/kernel/prng.ts'
import type { Prng } from '../../src/kernel/prng.ts'
import { createSimCluster } from '../../src/testing/sim-membership.ts'
import type { SimCluster, SimNode } from '../../src/testing/sim-membership.ts'

const seconds = 1_000
const seeds = Number(process.env['SEEDS'] ?? 6)

test(`all views agree within a minute after any trouble (${seeds} seeds)`, { timeout: 60_000 + 5_000 * seeds }, () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const town = build(seed)
    for (let round = 0; round < 10; round++) {
      trouble(town)
      town.sim.time.run(town.prng.below(40 * seconds))
    }
    peace(town)
    expect(
      town.sim.time.runUntil(() => isAgreed(town), 60 * seconds),
      `seed ${seed}: ${views(town)}`,
    ).toBe(true)
  }
})

interface Town {
  readonly sim: SimCluster
  readonly prng: Prng
  readonly names: readonly string[]
}

function build(seed: number): Town {
  const prng = createPrng(seed * 7_919)
  const names = Array.from({ length: 2 + prng.below(8) }, (_, i) => `n${i}`)
  const faults = { latencyMs: [1, 1 + prng.below(60)], loss: 0.05 * prng.below(3) } as const
  const town = { sim: createSimCluster(seed, faults), prng, names }
  for (const name of names) start(town, name)
  town.sim.time.run(3 * seconds)
  return town
}

function start({ sim, prng, names }: Town, name: string): void {
  const addressOf = (other: string) => ({ ip: ipOf(other), port: 7946 })
  const node = sim.start(name, { address: addressOf(name), meta: Uint8Array.of(prng.below(256)) })
  node.feed({ kind: 'join', addresses: names.filter(other => other !== name).map(addressOf) })
}

function trouble(town: Town): void {
  const { sim, prng, names } = town
  const name = pick(prng, names)
  const node = sim.nodes.get(name)
  const kinds: readonly (() => void)[] = [
    () => node?.kill(),
    () => (node === undefined ? start(town, name) : undefined),
    () => node?.feed({ kind: 'metaChanged', meta: Uint8Array.of(prng.below(256)) }),
    () => stall(town, node),
    () => sim.network.cut(ipOf(name), ipOf(pick(prng, names))),
    () => split(town),
    () => sim.network.heal(),
  ]
  pick(prng, kinds)()
}

function stall({ sim, prng }: Town, node: SimNode | undefined): void {
  node?.pause()
  sim.time.at(sim.time.now() + prng.below(12 * seconds), () => node?.resume())
}

function split({ sim, prng, names }: Town): void {
  const border = prng.below(names.length)
  for (const west of names.slice(0, border)) {
    for (const east of names.slice(border)) {
      sim.network.cut(ipOf(west), ipOf(east))
      sim.network.cut(ipOf(east), ipOf(west))
    }
  }
}

function peace(town: Town): void {
  const { sim, names } = town
  sim.time.run(12 * seconds)
  sim.network.heal()
  sim.network.faults = { ...sim.network.faults, loss: 0 }
  for (const name of names) if (!sim.nodes.has(name)) start(town, name)
}

/** Everybody holds everybody for alive, with what each now says of itself. */
function isAgreed({ sim, names }: Town): boolean {
  const nodes = [...sim.nodes.values()]
  const seen = nodes.map(node => new Map(node.machine.members().map(member => [member.name, member])))
  const own = new Map(nodes.map((node, i) => [node.name, seen[i]?.get(node.name)?.meta.join()]))
  return seen.every(members =>
    names.every(name => {
      const member = members.get(name)
      return member?.status === 'alive' && member.meta.join() === own.get(name)
    }),
  )
}

function views({ sim }: Town): string {
  const viewOf = (node: SimNode): string =>
    node.machine
      .members()
      .map(({ name, status, incarnation }) => `${name}=${status}${incarnation}`)
      .join(' ')
  return [...sim.nodes.values()].map(node => `${node.name} sees ${viewOf(node)}`).join('; ')
}

function ipOf(name: string): string {
  return `10.1.0.${Number(name.slice(1)) + 1}`
}

function pick<T>(prng: Prng, items: readonly T[]): T {
  const item = items[prng.below(items.length)]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}
