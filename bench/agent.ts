/**
 * What an agent costs: three real nodes with 60 real containers, agents from the build. First a minute of idleness, then
 * REST under load from outside the node, with the peers asked whether gossip suffered.
 */
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { get, startAgent } from '../lab/agent.ts'
import { down, up } from '../lab/lab.ts'
import { startService } from '../lab/stack.ts'
import { until } from '../lab/shell.ts'
import { saveState, type LabNode, type LabState } from '../lab/state.ts'

const servicesPerNode = 20
const idleMs = 60_000
/** Health checks come every 30 s, which is Docker's default. */
const firstChecksMs = 35_000
const loadSeconds = 15
const connections = 16
/** USER_HZ on every Linux that Node runs on. */
const ticksPerSecond = 100

export async function benchAgent(): Promise<object> {
  const say = (line: string): void => console.error(line)
  const state = await up(3, { stacks: false, agents: false }, say)
  try {
    say(`starting ${servicesPerNode} containers on each node`)
    for (const node of state.nodes) await startContainers(node)
    for (const node of state.nodes) await startAgent(state, node)
    saveState(state)
    await until('everybody knows 60 services', 60_000, () =>
      everybodyKnows(state, servicesPerNode * state.nodes.length),
    )
    say('waiting for the first health checks of the containers')
    await new Promise(resolve => setTimeout(resolve, firstChecksMs))
    say(`idle for ${idleMs / 1_000} s`)
    const before = state.nodes.map(node => cpuTicks(pidOf(node)))
    await new Promise(resolve => setTimeout(resolve, idleMs))
    const idleCpuPercent = state.nodes.map((node, i) => {
      const ticks = cpuTicks(pidOf(node)) - (before[i] ?? 0)
      return Number(((ticks / ticksPerSecond / (idleMs / 1_000)) * 100).toFixed(2))
    })
    const rssMb = state.nodes.map(node => rssMegabytes(pidOf(node)))
    return { services: servicesPerNode * state.nodes.length, rssMb, idleCpuPercent, rest: await benchRest(state, say) }
  } finally {
    await down(say)
  }
}

async function benchRest(state: LabState, say: (line: string) => void): Promise<object> {
  const [loaded, ...peers] = state.nodes
  if (loaded === undefined) throw new Error('the lab has no node')
  const token = readFileSync(`${loaded.folder}/agent/secrets/api-token.txt`, 'utf8').trim()
  const suspicionsBefore = await suspicions(peers)
  say(`GET /api/v1/services for ${loadSeconds} s over ${connections} connections`)
  const result = await autocannon({
    url: `http://${loaded.ip}:8080/api/v1/services`,
    connections,
    duration: loadSeconds,
    headers: { authorization: `Bearer ${token}` },
  })
  const suspicionsAfter = await suspicions(peers)
  return {
    connections,
    requestsPerSecond: Math.round(result.requests.average),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    not2xx: result.non2xx,
    bodyBytes: Math.round(result.throughput.average / Math.max(1, result.requests.average)),
    rssMbAfter: rssMegabytes(pidOf(loaded)),
    suspicionsOfPeersMeanwhile: suspicionsAfter - suspicionsBefore,
  }
}

async function startContainers(node: LabNode): Promise<void> {
  for (let i = 0; i < servicesPerNode; i++) {
    const service = `web-${node.name}-${i}`
    await startService(node, 'bench', { service, exposed: true, hostPort: 19_000 + i, healthInterval: '30s' })
  }
}

async function everybodyKnows(state: LabState, count: number): Promise<boolean> {
  const answers = await Promise.all(state.nodes.map(node => get(node, 8080, '/api/v1/status')))
  return answers.every(answer => {
    const status = JSON.parse(answer ?? '{}') as { services?: { total?: number } }
    return status.services?.total === count
  })
}

async function suspicions(nodes: readonly LabNode[]): Promise<number> {
  const texts = await Promise.all(nodes.map(node => get(node, 8080, '/metrics')))
  return texts
    .map(text => Number(/^constellation_gossip_suspicions_total (\d+)/m.exec(text ?? '')?.[1] ?? 0))
    .reduce((sum, value) => sum + value, 0)
}

function pidOf(node: LabNode): number {
  if (node.agentPid === undefined) throw new Error(`${node.name} has no agent`)
  return node.agentPid
}

function rssMegabytes(pid: number): number {
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return Math.round(kilobytes / 1024)
}

/** User and system time of the process, in clock ticks. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
