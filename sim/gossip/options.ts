/**
 * What one seed switches on. Swarm style: every class of faults is off in about half of the seeds, for a class that is
 * always on hides what the others would show. A calm seed has only troubles that a healthy cluster shrugs off; that is
 * where nobody may be declared dead by mistake and every death must be noticed in time.
 */
import type { Prng } from '../../src/kernel/prng.ts'
import type { Millis } from '../../src/kernel/units.ts'
import { between, chance } from '../../src/testing/sim/authority.ts'
import type { NetworkFaults } from '../../src/testing/sim/network.ts'

export interface GossipOptions {
  readonly nodes: number
  readonly temper: 'calm' | 'stormy'
  readonly network: NetworkFaults
  /** Clocks run at most this much too fast or too slow. */
  readonly driftPpmMax: number
  readonly wallJumps: boolean
  /** The longest pause; 0: none. */
  readonly pauseMsMax: Millis
  readonly crashes: boolean
  /** Crashes that leave streams half open. */
  readonly powerCuts: boolean
  readonly lostDisks: boolean
  readonly diskFaults: boolean
  readonly leaves: boolean
  readonly joins: boolean
  readonly cuts: boolean
  readonly oneWayCuts: boolean
  readonly slowLinks: boolean
  /** Changes of records per minute, of all nodes together; some are bursts. */
  readonly changesPerMinute: number
  readonly largeRecords: boolean
  /** How often the plan acts, on average. */
  readonly faultEveryMs: Millis
  readonly safetyMs: Millis
}

/** From this size on a run is about scale: calm, short, with little to say. */
const largeFrom = 50

export function gossipOptions(prng: Prng, nodes?: number): GossipOptions {
  // Small clusters more often: they are cheaper, and what a large one shows they mostly show as well.
  const drawn = Math.min(between(prng, 2, 16), between(prng, 2, 16))
  const count = nodes ?? drawn
  return count >= largeFrom ? largeOptions(prng, count) : smallOptions(prng, count)
}

function smallOptions(prng: Prng, nodes: number): GossipOptions {
  const temper = chance(prng, 0.4) ? 'calm' : 'stormy'
  const isStormy = temper === 'stormy'
  const often = (): boolean => chance(prng, 0.5)
  const cuts = isStormy && often()
  const share = (most: number): number => (often() ? prng.next() * most : 0)
  return {
    nodes,
    temper,
    network: {
      latencyMs: [1, between(prng, 2, often() ? 120 : 20)],
      loss: share(isStormy ? 0.3 : 0.05),
      duplication: share(0.2),
      reordering: share(0.2),
      damage: share(0.05),
      resets: isStormy ? share(0.2) : 0,
    },
    driftPpmMax: often() ? 10_000 : 0,
    wallJumps: often(),
    pauseMsMax: often() ? (isStormy ? 30_000 : 3_000) : 0,
    crashes: chance(prng, 0.7),
    powerCuts: often(),
    lostDisks: isStormy && often(),
    diskFaults: isStormy && often(),
    leaves: often(),
    joins: often(),
    cuts,
    oneWayCuts: isStormy && often(),
    slowLinks: isStormy && often(),
    changesPerMinute: often() ? between(prng, 10, 40) : 4,
    largeRecords: often(),
    faultEveryMs: between(prng, 1_000, 8_000),
    safetyMs: between(prng, 20_000, 45_000),
  }
}

function largeOptions(prng: Prng, nodes: number): GossipOptions {
  return {
    nodes,
    temper: 'calm',
    network: { latencyMs: [1, 20], loss: chance(prng, 0.5) ? 0.02 : 0 },
    driftPpmMax: 10_000,
    wallJumps: false,
    pauseMsMax: 0,
    crashes: true,
    powerCuts: chance(prng, 0.5),
    lostDisks: false,
    diskFaults: false,
    leaves: false,
    joins: false,
    cuts: false,
    oneWayCuts: false,
    slowLinks: false,
    changesPerMinute: 12,
    largeRecords: false,
    faultEveryMs: 10_000,
    safetyMs: 25_000,
  }
}
