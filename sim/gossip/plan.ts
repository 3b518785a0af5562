/**
 * The troubles of one run, drawn beforehand: what happens when to which node. A plan is data, so that it can be printed
 * and does not depend on how the nodes behave.
 */
import type { Prng } from '../../src/kernel/prng.ts'
import type { Millis } from '../../src/kernel/units.ts'
import { between, oneOf } from '../../src/testing/sim/authority.ts'
import type { GossipOptions } from './options.ts'

/** Nodes go by their number; one that does not run cannot crash, and the trouble passes. */
export type Trouble =
  | { readonly kind: 'start'; readonly node: number }
  | {
      readonly kind: 'crash'
      readonly node: number
      readonly how: 'process' | 'power'
      /** Absent: it stays away for the rest of the run. */
      readonly backAfterMs?: Millis
      readonly disk: 'kept' | 'lost' | 'flipped'
    }
  | { readonly kind: 'pause'; readonly node: number; readonly forMs: Millis }
  | { readonly kind: 'leave'; readonly node: number; readonly backAfterMs?: Millis }
  | { readonly kind: 'jumpWall'; readonly node: number; readonly byMs: Millis }
  /** No word from one side to the other; both ways unless it is one-way. */
  | { readonly kind: 'cut'; readonly west: readonly number[]; readonly oneWay: boolean; readonly forMs: Millis }
  | { readonly kind: 'slowLink'; readonly from: number; readonly to: number; readonly forMs: Millis }

/** Every node starts; the rest is drawn. */
type Drawn = Exclude<Trouble['kind'], 'start'>

export interface PlannedTrouble {
  readonly atMs: Millis
  readonly trouble: Trouble
}

const hour: Millis = 3_600_000
/** After this long nobody counts a member that is gone, and the next one may go. */
const departureSpacingMs: Millis = 45_000

export function planTroubles(prng: Prng, options: GossipOptions): readonly PlannedTrouble[] {
  const plan: PlannedTrouble[] = starts(prng, options)
  let departedAt = Number.NEGATIVE_INFINITY
  for (let atMs = 8_000; atMs < options.safetyMs; atMs += 500 + prng.below(2 * options.faultEveryMs)) {
    const trouble = draw(prng, options)
    if (trouble === undefined) continue
    const departs = trouble.kind === 'crash' || trouble.kind === 'leave'
    if (departs && options.temper === 'calm' && atMs - departedAt < departureSpacingMs) continue
    if (departs) departedAt = atMs
    plan.push({ atMs, trouble })
  }
  return plan
}

function starts(prng: Prng, { nodes, joins, safetyMs }: GossipOptions): PlannedTrouble[] {
  const plan: PlannedTrouble[] = []
  const late = joins ? prng.below(Math.ceil(nodes / 2)) : 0
  for (let node = 0; node < nodes; node++) {
    const atMs = node >= nodes - late ? prng.below(safetyMs) : prng.below(2_000)
    plan.push({ atMs, trouble: { kind: 'start', node } })
  }
  return plan
}

/** Undefined when everything is off. */
function draw(prng: Prng, options: GossipOptions): Trouble | undefined {
  const node = prng.below(options.nodes)
  const hand: Readonly<Record<Drawn, () => Trouble>> = {
    crash: () => crash(prng, options, node),
    pause: () => ({ kind: 'pause', node, forMs: 1 + prng.below(options.pauseMsMax) }),
    leave: () => ({ kind: 'leave', node, ...(prng.below(2) > 0 ? { backAfterMs: between(prng, 100, 30_000) } : {}) }),
    jumpWall: () => ({ kind: 'jumpWall', node, byMs: between(prng, -hour, hour) }),
    cut: () => cut(prng, options),
    slowLink: () => {
      return { kind: 'slowLink', from: node, to: prng.below(options.nodes), forMs: between(prng, 1_000, 30_000) }
    },
  }
  const kind = oneOf(prng, kindsOf(options))
  return kind === undefined ? undefined : hand[kind]()
}

function kindsOf(options: GossipOptions): readonly Drawn[] {
  const kinds: readonly (readonly [Drawn, boolean])[] = [
    ['crash', options.crashes],
    ['pause', options.pauseMsMax > 0],
    ['leave', options.leaves],
    ['jumpWall', options.wallJumps],
    ['cut', options.cuts || options.oneWayCuts],
    ['slowLink', options.slowLinks],
  ]
  return kinds.filter(([, isOn]) => isOn).map(([kind]) => kind)
}

function crash(prng: Prng, { powerCuts, lostDisks, diskFaults }: GossipOptions, node: number): Trouble {
  const how = powerCuts && prng.below(2) > 0 ? 'power' : 'process'
  const fate = prng.below(6)
  const disk = lostDisks && fate === 0 ? 'lost' : diskFaults && fate === 1 ? 'flipped' : 'kept'
  return { kind: 'crash', node, how, disk, ...(prng.below(3) > 0 ? { backAfterMs: between(prng, 50, 30_000) } : {}) }
}

function cut(prng: Prng, { nodes, cuts, oneWayCuts }: GossipOptions): Trouble {
  const oneWay = oneWayCuts && (!cuts || prng.below(2) > 0)
  const west = prng.shuffled(Array.from({ length: nodes }, (_, i) => i)).slice(0, 1 + prng.below(nodes - 1))
  // One in three outlives the half minute in which the dead still hear gossip.
  const forMs = prng.below(3) === 0 ? between(prng, 40_000, 120_000) : between(prng, 500, 40_000)
  return { kind: 'cut', west, oneWay, forMs }
}
