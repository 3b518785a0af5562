/**
 * The unattended demo: load through the third node's proxy, kill -9 of the second node with its workload, and a stopwatch
 * on what the survivors see. All figures are ms after the kill, seen from outside through the nodes' own APIs every 20 ms.
 */
import { untilReady, withDemoCluster, type DemoCluster } from './cluster.ts'
import type { DemoNode } from './demo-node.ts'
import { startLoad, type LoadReport } from './load.ts'

export interface OnceReport {
  readonly ok: boolean
  /** What is off, in words; empty when ok. */
  readonly complaints: readonly string[]
  readonly requests: number
  readonly failed: number
  readonly failures: readonly string[]
  readonly answeredBy: Readonly<Record<string, number>>
  readonly slowestMs: number
  /** From the start of the three processes until all three would route to both instances. */
  readonly readyMs: number
  /** First survivor to suspect, last survivor to declare dead, last document without the dead node. */
  readonly suspectMs: number | null
  readonly deadMs: number | null
  readonly documentChangedMs: number | null
  readonly survivors: Readonly<Record<string, SurvivorReport>>
}

export interface SurvivorReport {
  readonly suspectMs: number | null
  readonly deadMs: number | null
  readonly documentChangedMs: number | null
}

interface NodeAnswer {
  readonly status: string
}

const deadLimitMs = 9_000
const watchLimitMs = 15_000
const concurrency = 8

export async function runOnce(say: (line: string) => void): Promise<OnceReport> {
  say('starting three agents, a web service on two of them')
  return withDemoCluster(async cluster => {
    const readyMs = await untilReady(cluster)
    say(`all three know both instances after ${readyMs} ms; sending load through ${cluster.nodes[2].name}`)
    return killUnderLoad(cluster, readyMs, say)
  })
}

async function killUnderLoad(cluster: DemoCluster, readyMs: number, say: (line: string) => void): Promise<OnceReport> {
  const [first, victim, entrance] = cluster.nodes
  const load = startLoad(`http://${entrance.address.ip}:${entrance.address.proxy}`, 'web.localhost', concurrency)
  await pause(2_000)
  victim.powerOff()
  const killedAt = performance.now()
  say(`killed ${victim.name} with its workload (kill -9)`)
  const [a, c] = await Promise.all([
    watchSurvivor(first, victim, killedAt, say),
    watchSurvivor(entrance, victim, killedAt, say),
  ])
  await pause(1_000)
  const answered = await load.stop()
  return judge(answered, readyMs, { [first.name]: a, [entrance.name]: c })
}

async function watchSurvivor(
  node: DemoNode,
  victim: DemoNode,
  killedAt: number,
  say: (line: string) => void,
): Promise<SurvivorReport> {
  const seen = {
    suspectMs: null as number | null,
    deadMs: null as number | null,
    documentChangedMs: null as number | null,
  }
  const backend = `${victim.address.ip}:${victim.address.web}`
  const mark = (stage: keyof typeof seen, words: string): void => {
    if (seen[stage] !== null) return
    seen[stage] = Math.round(performance.now() - killedAt)
    say(`${node.name}: ${words} after ${seen[stage]} ms`)
  }
  while (performance.now() - killedAt < watchLimitMs && Object.values(seen).includes(null)) {
    const [answer, document] = await Promise.all([
      node.get<NodeAnswer>(`/api/v1/nodes/${victim.name}`),
      node.document(),
    ])
    if (answer?.status === 'suspect' || answer?.status === 'dead') mark('suspectMs', `${victim.name} is suspect`)
    if (answer?.status === 'dead') mark('deadMs', `${victim.name} is dead`)
    if (document !== undefined && !document.includes(backend)) mark('documentChangedMs', 'document no longer names it')
    await pause(20)
  }
  return seen
}

function judge(load: LoadReport, readyMs: number, survivors: Readonly<Record<string, SurvivorReport>>): OnceReport {
  const complaints: string[] = []
  if (load.requests === 0) complaints.push('no request was sent')
  if (load.failed > 0) complaints.push(`${load.failed} of ${load.requests} requests failed`)
  for (const [name, { deadMs, documentChangedMs }] of Object.entries(survivors)) {
    if (deadMs === null || deadMs > deadLimitMs)
      complaints.push(`${name} did not notice the death within ${deadLimitMs} ms`)
    if (documentChangedMs === null) complaints.push(`the document of ${name} did not change`)
  }
  const all = Object.values(survivors)
  return {
    ok: complaints.length === 0,
    complaints,
    ...load,
    readyMs,
    suspectMs: earliest(all.map(survivor => survivor.suspectMs)),
    deadMs: latest(all.map(survivor => survivor.deadMs)),
    documentChangedMs: latest(all.map(survivor => survivor.documentChangedMs)),
    survivors,
  }
}

/** The smallest that was seen at all. */
function earliest(times: readonly (number | null)[]): number | null {
  const seen = times.filter(time => time !== null)
  return seen.length === 0 ? null : Math.min(...seen)
}

/** Null unless every survivor saw it. */
function latest(times: readonly (number | null)[]): number | null {
  return times.reduce<number | null>((last, time) => (last === null || time === null ? null : Math.max(last, time)), 0)
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
