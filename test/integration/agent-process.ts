/**
 * Agents as their operators run them: the built program in its own process, on a loopback address of its own, with its
 * own folder. Spoken to over HTTP and signals alone; everything ends with `endAgents`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runningWorkloads } from '../../src/adapters/process/process-state.ts'
import type { Port } from '../../src/kernel/units.ts'
import { untilTrue } from './watching.ts'

export interface AgentPorts {
  readonly gossip: Port
  readonly raft: Port
  readonly api: Port
  readonly provider: Port
  readonly proxy: Port
}

export interface AgentSettings {
  readonly name: string
  /** `host:port` of who is there already. */
  readonly seeds?: readonly string[]
  readonly processes?: readonly object[]
  /** Whole sections of the configuration that replace the usual ones; told the folder the agent will have. */
  readonly sections?: (folder: string) => Readonly<Record<string, unknown>>
  /** A module that every thread of its process runs before its own program. */
  readonly preload?: string
}

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface Ended {
  readonly code: number
  /** Both streams. */
  readonly output: string
}

export interface AgentProcess {
  readonly name: string
  readonly ip: string
  readonly ports: AgentPorts
  /** Holds its data, secrets, configuration and log. */
  readonly folder: string
  readonly configFile: string
  /** `ip:port` of its gossip. */
  readonly seed: string
  start(): void
  readonly running: boolean
  /** Resolves with its exit code. */
  exited(): Promise<number>
  signal(name: NodeJS.Signals): void
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number>
  /** GET on its API, or on another of its ports. */
  get(path: string, port?: Port): Promise<Answer>
  api<T>(path: string): Promise<T>
  /** Sum of the series of a metric whose labels contain `labels`, such as `reason="timeout"`. */
  metric(name: string, labels?: string): Promise<number>
  /** Everything it has written so far, both streams. */
  output(): string
  rssBytes(): number
  openFiles(): number
}

const mainFile = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url))
const stopLimitMs = 15_000

const agents: { kill(): void }[] = []
const folders: string[] = []
let ips = 0

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'constellation-agent-'))
  folders.push(folder)
  return folder
}

/** Kills every agent and every workload of theirs. */
export function endAgents(): void {
  for (const agent of agents.splice(0)) agent.kill()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}

/** `constellation agent` where it is expected to end by itself. */
export async function runToItsEnd(configFile: string): Promise<Ended> {
  const child = spawn(process.execPath, [mainFile, 'agent', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  })
  agents.push({ kill: () => void child.kill('SIGKILL') })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  const tooLate = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  const code = await new Promise<number>(resolve => child.once('close', code => resolve(code ?? -1)))
  clearTimeout(tooLate)
  return { code, output }
}

/** The settings of whoever runs the tests must not leak into an agent. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, TMPDIR }
}

/** Not started yet. */
export async function makeAgent(settings: AgentSettings): Promise<AgentProcess> {
  const ip = `127.77.${process.pid % 250}.${++ips}`
  const ports = await freePorts(ip)
  const folder = temporaryFolder()
  const configFile = join(folder, 'constellation.config.json')
  mkdirSync(join(folder, 'data'))
  writeFileSync(configFile, JSON.stringify(configOf(settings, ip, ports, folder), null, 2))
  return agentOf(settings, ip, ports, folder, configFile)
}

/** Resolves once it answers that it can do its work. */
export async function startAgent(settings: AgentSettings): Promise<AgentProcess> {
  const agent = await makeAgent(settings)
  agent.start()
  await untilWell(agent)
  return agent
}

/** Until it answers at all; a first agent takes ten seconds more to be sure that it is alone. */
export async function untilUp(agent: AgentProcess): Promise<void> {
  await untilTrue(`${agent.name} is up`, 15_000, async () => (await agent.get('/api/v1/status')).status === 200)
}

export async function untilWell(agent: AgentProcess): Promise<void> {
  await untilTrue(`${agent.name} is well`, 30_000, async () => (await agent.get('/health')).status === 200)
}

function agentOf(
  { name, preload }: AgentSettings,
  ip: string,
  ports: AgentPorts,
  folder: string,
  configFile: string,
): AgentProcess {
  const logFile = join(folder, 'agent.log')
  let child: ChildProcess | undefined
  let ended: Promise<number> = Promise.resolve(0)
  agents.push({
    kill() {
      child?.kill('SIGKILL')
      for (const { pid } of runningWorkloads(join(folder, 'data'))) process.kill(-pid, 'SIGKILL')
    },
  })

  async function get(path: string, port = ports.api): Promise<Answer> {
    const answer = await fetch(`http://${ip}:${port}${path}`, { signal: AbortSignal.timeout(5_000) })
    return { status: answer.status, body: await answer.text() }
  }

  function procFile(file: string): string {
    return `/proc/${child?.pid}/${file}`
  }

  return {
    name,
    ip,
    ports,
    folder,
    configFile,
    seed: `${ip}:${ports.gossip}`,
    start() {
      const log = openSync(logFile, 'a')
      const started = spawn(process.execPath, [mainFile, 'agent', '--config', configFile], {
        stdio: ['ignore', log, log],
        env: { ...environment(), ...(preload === undefined ? {} : { NODE_OPTIONS: `--import ${preload}` }) },
      })
      closeSync(log)
      child = started
      ended = new Promise(resolve => started.once('exit', code => resolve(code ?? -1)))
    },
    get running() {
      return child !== undefined && child.exitCode === null && child.signalCode === null
    },
    exited: () => ended,
    signal: name => void child?.kill(name),
    stop() {
      const tooLate = setTimeout(() => child?.kill('SIGKILL'), stopLimitMs)
      child?.kill('SIGTERM')
      return ended.finally(() => clearTimeout(tooLate))
    },
    get,
    async api<T>(path: string) {
      const { status, body } = await get(path)
      if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`)
      // The caller names the shape it expects of our own API.
      return JSON.parse(body) as T
    },
    async metric(metric, labels = '') {
      const { body } = await get('/metrics')
      const series = body.split('\n').filter(line => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`))
      return series.filter(line => line.includes(labels)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    },
    output: () => readFileSync(logFile, 'utf8'),
    rssBytes: () => 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(procFile('status'), 'utf8'))?.[1]),
    openFiles: () => readdirSync(procFile('fd')).length,
  }
}

function configOf(settings: AgentSettings, ip: string, ports: AgentPorts, folder: string): object {
  const dataDir = join(folder, 'data')
  return {
    node: { name: settings.name },
    domain: 'test.local',
    gossip: { bindAddr: ip, bindPort: ports.gossip, seeds: settings.seeds ?? [] },
    raft: { port: ports.raft },
    api: { port: ports.api, bind: ['mesh'] },
    provider: { port: ports.provider, bind: ['mesh'] },
    proxy: { port: ports.proxy, bind: ['mesh'] },
    engine: { kind: 'process', processes: settings.processes ?? [] },
    paths: { dataDir, configPath: join(folder, 'volumes'), secretsPath: join(folder, 'secrets') },
    ...settings.sections?.(folder),
  }
}

/** Held all at once, so that no two are the same; nobody else uses the address. */
async function freePorts(ip: string): Promise<AgentPorts> {
  const held = await Promise.all(Array.from({ length: 5 }, () => holdPort(ip)))
  await Promise.all(held.map(({ release }) => release()))
  const [gossip = 0, raft = 0, api = 0, provider = 0, proxy = 0] = held.map(({ port }) => port)
  return { gossip, raft, api, provider, proxy }
}

export function holdPort(ip: string): Promise<{ readonly port: Port; readonly release: () => Promise<void> }> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, ip, () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        release: () => new Promise(closed => server.close(() => closed())),
      })
    })
  })
}
