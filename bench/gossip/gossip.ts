/**
 * What the gossip is worth: failure detection beside serf on the same machine at the same time, a change of health among
 * five processes, and on virtual time the traffic of a hundred nodes and the arrival of one more among thirty.
 */
import { cpus, loadavg } from 'node:os'
import { createPrng } from '../../src/kernel/prng.ts'
import { compile } from '../compiled.ts'
import { rounded } from '../statistics.ts'
import { simulateJoins, simulateTraffic } from '../virtual-tasks.ts'
import { measureDetection } from './detection.ts'
import type { DetectionFigures } from './detection.ts'
import { seatsOf } from './fleet.ts'
import type { StartPeer } from './fleet.ts'
import { measureHealthChanges } from './health-change.ts'
import type { HealthChangeFigures } from './health-change.ts'
import type { JoinsFigures } from './joins.ts'
import { startOurs } from './our-peer.ts'
import { startSerf } from './serf-peer.ts'
import type { TrafficFigures } from './traffic-of-nodes.ts'

export interface GossipOptions {
  /** Deaths per size and program. */
  readonly runs: number
  readonly changes: number
  readonly seed: number
}

export interface Verdict {
  readonly wanted: string
  readonly met: boolean
}

export interface DetectionBesideSerf extends Verdict {
  readonly nodes: number
  readonly ours: DetectionFigures
  readonly serf: DetectionFigures
  /** Ours divided by serf's, of the time until all know. */
  readonly ratioOfMedians: number
  readonly ratioOfMeans: number
}

export interface GossipFigures {
  readonly date: string
  readonly load: Load
  readonly detection: readonly DetectionBesideSerf[]
  readonly healthChange: HealthChangeFigures & Verdict
  readonly traffic: TrafficFigures & Verdict
  readonly joins: JoinsFigures & Verdict
}

/** Of the part with real processes. */
interface Load {
  readonly loadAverageBefore: number
  readonly loadAverageAfter: number
  /** Share of all cores that was not idle. */
  readonly busyShare: number
}

const sizes = [3, 5, 10]
const ratioMax = 1.1
const healthChangeNodes = 5
const healthChangeMsMax = 600
const trafficBytesMax = 15_000
const joinMsMax = 1_000
/** Each series has its own loopback block, so that all sizes may run side by side. */
const firstBlock = 61

export async function benchGossip(options: GossipOptions): Promise<GossipFigures> {
  const prng = createPrng(options.seed)
  say('compiling')
  await compile()
  const load = watchLoad()
  say(`${sizes.join(', ')} nodes side by side, ${options.runs} deaths each, ours beside serf`)
  const detection = await Promise.all(
    sizes.map((nodes, i) => besideSerf(nodes, firstBlock + 2 * i, options.runs, prng.split())),
  )
  say(`${options.changes} changes of health among ${healthChangeNodes}`)
  const seats = seatsOf('ours', firstBlock + 2 * sizes.length, healthChangeNodes)
  const healthChange = await measureHealthChanges(seats, options.changes, prng.split())
  const loaded = load()
  say('on virtual time: traffic of 100 nodes, joins among 30')
  const [traffic, joins] = await Promise.all([
    simulateTraffic({ nodes: 100, instancesPerNode: 6, minutes: 10, seed: options.seed }),
    simulateJoins({ nodes: 30, seeds: 20, joinsPerSeed: 10 }),
  ])
  return {
    date: new Date().toISOString().slice(0, 10),
    load: loaded,
    detection,
    healthChange: {
      ...healthChange,
      wanted: `p99 at most ${healthChangeMsMax} ms`,
      met: healthChange.p99Ms <= healthChangeMsMax,
    },
    traffic: {
      ...traffic,
      wanted: `at most ${trafficBytesMax / 1_000} kB/s, the busiest node too`,
      met: traffic.maxBytesPerSecond <= trafficBytesMax,
    },
    joins: { ...joins, wanted: `p99 at most ${joinMsMax} ms`, met: joins.p99Ms <= joinMsMax },
  }
}

async function besideSerf(
  nodes: number,
  block: number,
  runs: number,
  prng: ReturnType<typeof createPrng>,
): Promise<DetectionBesideSerf> {
  const measure = (program: string, start: StartPeer, ownBlock: number): Promise<DetectionFigures> =>
    measureDetection(start, seatsOf(program, ownBlock, nodes), runs, prng.split(), (run, { allKnowMs }) =>
      say(`${program}, ${nodes} nodes, death ${run}: all know after ${rounded(allKnowMs / 1_000, 2)} s`),
    )
  const [ours, serf] = await Promise.all([
    measure('ours', (seat, joins) => startOurs(seat, joins), block),
    measure('serf', startSerf, block + 1),
  ])
  const ratioOfMedians = rounded(ours.allKnowMs.median / serf.allKnowMs.median, 3)
  const ratioOfMeans = rounded(ours.allKnowMs.mean / serf.allKnowMs.mean, 3)
  const met = Math.max(ratioOfMedians, ratioOfMeans) <= ratioMax
  return { nodes, ours, serf, ratioOfMedians, ratioOfMeans, wanted: `both ratios at most ${ratioMax}`, met }
}

function watchLoad(): () => Load {
  const [loadAverageBefore = 0] = loadavg()
  const before = cpuTimes()
  return () => {
    const after = cpuTimes()
    const [loadAverageAfter = 0] = loadavg()
    const idleShare = (after.idle - before.idle) / (after.all - before.all)
    return { loadAverageBefore, loadAverageAfter, busyShare: rounded(1 - idleShare, 2) }
  }
}

function cpuTimes(): { readonly idle: number; readonly all: number } {
  const times = cpus().map(cpu => cpu.times)
  const sum = (part: (time: (typeof times)[number]) => number): number =>
    times.reduce((total, time) => total + part(time), 0)
  return { idle: sum(time => time.idle), all: sum(time => time.user + time.nice + time.sys + time.idle + time.irq) }
}

function say(line: string): void {
  console.error(line)
}
