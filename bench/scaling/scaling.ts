/**
 * Clusters of growing size on virtual time, each run in a process of its own. The figures are kept as data, and the plot
 * and the table are made from the data alone.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { compile } from '../compiled.ts'
import { mean, rounded } from '../statistics.ts'
import type { Summary } from '../statistics.ts'
import { inParallel, simulateScaling } from '../virtual-tasks.ts'
import { plotScaling } from './plot.ts'
import { summariseCrashes } from './run.ts'
import type { Crash, Rates, ScalingRun, ScalingTask } from './run.ts'

export interface ScalingOptions {
  readonly sizes: readonly number[]
  /** Of the largest size. */
  readonly runs: number
  /** Of each other size. */
  readonly smallRuns: number
  readonly minutes: number
  readonly crashes: number
  readonly store: boolean
  /** Takes runs that are finished from an earlier call of the same kind, so that a long series may be broken off. */
  readonly resume: boolean
}

export interface ScalingSize extends Record<keyof Crash, Summary> {
  readonly nodes: number
  readonly runs: number
  readonly minutesPerRun: number
  readonly crashesPerRun: number
  /** Means over the runs. */
  readonly rates: Rates
  readonly quietRates: Rates
  /** Of any node about any other, in all runs. */
  readonly falsePositives: number
  readonly wallSecondsPerRun: number
}

export interface ScalingFigures {
  readonly date: string
  readonly node: string
  readonly method: string
  readonly sizes: readonly ScalingSize[]
}

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const dataFile = `${docs}data/gossip-scaling.json`
const runsFolder = fileURLToPath(new URL('../../build/scaling/', import.meta.url))
const plotFile = `${docs}gossip-scaling.svg`

const method =
  'virtual time; the cluster machine of the agent with its default configuration, no records; 1 to 10 ms one way, no ' +
  'loss; 20 starts a second, then the news of the start die down; crashes spread over the run, each node back after a ' +
  'minute; payload bytes sent, without IP and UDP headers; seeds from 1'

export async function benchScaling(options: ScalingOptions): Promise<ScalingFigures> {
  await compile()
  const sizes: ScalingSize[] = []
  const largest = Math.max(...options.sizes)
  for (const nodes of [...options.sizes].sort((a, b) => b - a))
    sizes.unshift(await measureSize(nodes, nodes === largest ? options.runs : options.smallRuns, options))
  const figures = { date: new Date().toISOString().slice(0, 10), node: process.version, method, sizes }
  if (options.store) {
    mkdirSync(`${docs}data`, { recursive: true })
    writeFileSync(dataFile, `${JSON.stringify(figures, null, 2)}\n`)
    plotStored()
  }
  return figures
}

export function plotStored(): ScalingFigures {
  // Written by the function above.
  const figures = JSON.parse(readFileSync(dataFile, 'utf8')) as ScalingFigures
  writeFileSync(plotFile, plotScaling(figures.sizes))
  return figures
}

async function measureSize(nodes: number, runs: number, options: ScalingOptions): Promise<ScalingSize> {
  const { minutes, crashes } = options
  const seeds = Array.from({ length: runs }, (_, i) => i + 1)
  const results = await inParallel(seeds, availableParallelism(), async seed => {
    const run = await finishedRun({ nodes, seed, minutes, crashes }, options.resume)
    console.error(`${nodes} nodes, seed ${seed}: ${run.wallSeconds} s`)
    return run
  })
  return {
    nodes,
    runs,
    minutesPerRun: minutes,
    crashesPerRun: crashes,
    ...summariseCrashes(results.flatMap(({ crashed }) => crashed)),
    rates: meanRates(results.map(run => run.rates)),
    quietRates: meanRates(results.map(run => run.quietRates)),
    falsePositives: results.reduce((sum, run) => sum + run.falsePositives, 0),
    wallSecondsPerRun: Math.round(mean(results.map((run: ScalingRun) => run.wallSeconds))),
  }
}

async function finishedRun(task: ScalingTask, resume: boolean): Promise<ScalingRun> {
  const { nodes, seed, minutes, crashes } = task
  const file = `${runsFolder}${nodes}-nodes-${minutes}-minutes-${crashes}-crashes-seed-${seed}.json`
  // Written below.
  if (resume && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as ScalingRun
  const run = await simulateScaling(task)
  mkdirSync(runsFolder, { recursive: true })
  writeFileSync(file, JSON.stringify(run))
  return run
}

function meanRates(all: readonly Rates[]): Rates {
  const meanOf = (kind: keyof Rates): number => rounded(mean(all.map(rates => rates[kind])), 1)
  return {
    probes: meanOf('probes'),
    piggyback: meanOf('piggyback'),
    gossip: meanOf('gossip'),
    pushPull: meanOf('pushPull'),
    packets: meanOf('packets'),
  }
}
