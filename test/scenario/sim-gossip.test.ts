/**
 * The gossip suite in small: some seeds, the seeds that once found something, and the promise that a seed is a replay.
 * `npm run sim -- gossip` runs a thousand. Set SEEDS to run more of them here.
 */
import { expect, test } from 'vitest'
import { gossipInvariants } from '../../sim/gossip/invariants/all.ts'
import { runGossipSeed } from '../../sim/gossip/run-seed.ts'
import { gossipSeeds } from './sim-seeds.ts'

const seeds = Number(process.env['SEEDS'] ?? 30)
const timeout = 60_000 + 4_000 * seeds

test(`${seeds} seeds break no invariant and give the same run twice`, { timeout }, () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const first = runGossipSeed(seed)
    expect(first.violations).toEqual([])
    expect(runGossipSeed(seed).digest, `digest of seed ${seed}`).toBe(first.digest)
  }
})

test.each(gossipSeeds)('seed $seed stays well: $found', { timeout: 60_000 }, ({ seed }) => {
  expect(runGossipSeed(seed).violations).toEqual([])
})

test('another seed gives another run', () => {
  expect(runGossipSeed(1).digest).not.toBe(runGossipSeed(2).digest)
})

test('to watch changes nothing', () => {
  const lines: string[] = []
  const traced = runGossipSeed(3, { trace: line => lines.push(line) })
  expect(traced.digest).toBe(runGossipSeed(3).digest)
  expect(lines.length).toBeGreaterThan(100)
})

test('each invariant has a name of its own and says in one sentence what holds', () => {
  const names = gossipInvariants.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { claim } of gossipInvariants) expect(claim).toMatch(/^[a-z].{20,140}$/)
})
