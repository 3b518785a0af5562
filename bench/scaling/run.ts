/**
 * One cluster of one size on virtual time: what its nodes send, and how long it takes until the death of one is suspected
 * by anybody, certain to anybody, and known to all.
 */
import { summarise } from '../statistics.ts'
import type { Summary } from '../statistics.ts'
import { noTraffic, ratePerSecond } from '../traffic.ts'
import type { Traffic } from '../traffic.ts'
import { createVirtualCluster } from '../virtual-cluster.ts'
import type { VirtualCluster } from '../virtual-cluster.ts'

export interface ScalingTask {
  readonly nodes: number
  readonly seed: number
  readonly minutes: number
  /** Spread over the time; each node comes back after a minute. */
  readonly crashes: number
}

/** Mean payload bytes per second and node, crashes and returns included. */
export interface Rates {
  readonly probes: number
  readonly piggyback: number
  readonly gossip: number
  readonly pushPull: number
  readonly packets: number
}

export interface Crash {
  readonly firstSuspectMs: number
  readonly firstDeadMs: number
  readonly allKnowMs: number
}

export interface ScalingRun extends ScalingTask {
  readonly rates: Rates
  /** The same in a stretch of a few minutes before the first crash. */
  readonly quietRates: Rates
  readonly crashed: readonly Crash[]
  readonly wallSeconds: number
  /** A member held for dead that was not. */
  readonly falsePositives: number
}

const startsPerSecond = 20
const quietMs = 120_000
const downMs = 60_000
/** A start of many nodes leaves each with news about all others, which take a while to be told. */
const settleMs = 60_000
const settleMsPerNode = 180

export function runScaling(task: ScalingTask): ScalingRun {
  const began = performance.now()
  const watch = createWatch()
  const cluster = createVirtualCluster(task.seed, output => {
    if (output.kind === 'memberChanged') watch.heard(cluster.time.now(), output.member.name, output.member.status)
  })
  cluster.startMany(task.nodes, startsPerSecond)
  cluster.time.run(settleMs + settleMsPerNode * task.nodes)
  mustKnowEachOther(cluster)

  const meter = createMeter(cluster)
  cluster.time.run(quietMs)
  const quietRates = meter.rates()
  const slotMs = (task.minutes * 60_000 - quietMs) / task.crashes
  const crashed = Array.from({ length: task.crashes }, () => crashOne(cluster, watch, meter, slotMs))
  return {
    ...task,
    rates: meter.rates(),
    quietRates,
    crashed,
    wallSeconds: Math.round((performance.now() - began) / 1_000),
    falsePositives: watch.falsePositives(),
  }
}

/** One kill somewhere in the slot, and the return of the node. */
function crashOne(cluster: VirtualCluster, watch: Watch, meter: Meter, slotMs: number): Crash {
  const { time, nodes, prng } = cluster
  const endsAt = time.now() + slotMs
  time.run(prng.below(Math.max(1, Math.floor(slotMs - downMs - 10_000))))
  // Not the first: the others came through it, and it is the same in every run.
  const number = 1 + prng.below(nodes.size - 1)
  const victim = [...nodes.values()].find(node => node.number === number)
  const seed = [...nodes.values()].find(node => node.number === 0)
  if (victim === undefined || seed === undefined) throw new Error(`node ${number} does not run`)
  meter.keep(victim.traffic)
  watch.died(time.now(), victim.name)
  victim.kill()
  const others = nodes.size
  time.run(downMs)
  const crash = watch.told(others)
  cluster.start(number, seed)
  time.run(Math.max(0, endsAt - time.now()))
  return crash
}

function mustKnowEachOther({ nodes }: VirtualCluster): void {
  for (const { name, machine } of nodes.values()) {
    const alive = machine.members().filter(({ status }) => status === 'alive').length
    if (alive !== nodes.size) throw new Error(`${name} knows ${alive} of ${nodes.size} after the start`)
  }
}

interface Watch {
  heard(at: number, subject: string, status: string): void
  died(at: number, name: string): void
  /** What became of the last death; throws when not all know of it. */
  told(observers: number): Crash
  falsePositives(): number
}

function createWatch(): Watch {
  let victim = ''
  let diedAt = 0
  let suspectAt = Number.NaN
  let deadAts: number[] = []
  let falsePositives = 0
  return {
    heard(at, subject, status) {
      if (subject === victim) {
        if (status === 'suspect' && Number.isNaN(suspectAt)) suspectAt = at
        if (status === 'dead') deadAts.push(at)
      } else if (status === 'dead') falsePositives++
    },
    died(at, name) {
      victim = name
      diedAt = at
      suspectAt = Number.NaN
      deadAts = []
    },
    told(observers) {
      if (deadAts.length < observers) throw new Error(`${deadAts.length} of ${observers} know that ${victim} is dead`)
      victim = ''
      const [first = Number.NaN] = deadAts
      return {
        firstSuspectMs: suspectAt - diedAt,
        firstDeadMs: first - diedAt,
        allKnowMs: (deadAts.at(-1) ?? Number.NaN) - diedAt,
      }
    },
    falsePositives: () => falsePositives,
  }
}

interface Meter {
  /** What a node has sent that ends now. */
  keep(traffic: Traffic): void
  /** Since the meter began. */
  rates(): Rates
}

function createMeter({ nodes, time }: VirtualCluster): Meter {
  const count = nodes.size
  const began = time.now()
  const ended: Traffic[] = []
  for (const node of nodes.values()) node.traffic = noTraffic()
  return {
    keep: traffic => void ended.push(traffic),
    rates() {
      const all = [...ended, ...[...nodes.values()].map(({ traffic }) => traffic)]
      const rate = (kind: keyof Traffic): number =>
        ratePerSecond(all.reduce((sum, traffic) => sum + traffic[kind], 0) / count, time.now() - began)
      return {
        probes: rate('probeBytes'),
        piggyback: rate('piggybackBytes'),
        gossip: rate('gossipBytes'),
        pushPull: rate('pushPullBytes'),
        packets: rate('packets'),
      }
    },
  }
}

export function summariseCrashes(crashes: readonly Crash[]): Record<keyof Crash, Summary> {
  return {
    firstSuspectMs: summarise(crashes.map(crash => crash.firstSuspectMs)),
    firstDeadMs: summarise(crashes.map(crash => crash.firstDeadMs)),
    allKnowMs: summarise(crashes.map(crash => crash.allKnowMs)),
  }
}
