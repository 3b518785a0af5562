/**
 * One node of the demo: a real agent in its own operating-system process with its own data directory, spoken to over HTTP
 * alone. Killing it kills its workloads too, as a power cut would.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { runningWorkloads } from '../../adapters/process/process-state.ts'
import { stableJson } from '../../kernel/stable-json.ts'
import type { DemoAddress } from './addresses.ts'
import { agentPidFile, killGroup } from './guard.ts'

export interface DemoNode {
  readonly name: string
  readonly address: DemoAddress
  readonly logFile: string
  readonly running: boolean
  start(): void
  /** SIGKILL for the agent and every workload of it. */
  powerOff(): void
  /** SIGTERM for the agent, SIGKILL for what is left after it. */
  stop(): Promise<void>
  /** GET on its REST API; undefined when it does not answer. */
  get<T>(path: string): Promise<T | undefined>
  /** The document its provider serves; undefined when it does not answer or has none yet. */
  document(): Promise<string | undefined>
}

export interface DemoNodeSettings {
  readonly name: string
  readonly address: DemoAddress
  readonly seeds: readonly string[]
  readonly folder: string
  /** Whether this node runs an instance of the web service. */
  readonly web: boolean
}

const mainFile = fileURLToPath(new URL('../main.js', import.meta.url))
const webFile = fileURLToPath(new URL('web-service.js', import.meta.url))
const stopGraceMs = 5_000

export function demoNode(settings: DemoNodeSettings): DemoNode {
  const { name, address } = settings
  const folder = join(settings.folder, name)
  const dataDir = join(folder, 'data')
  const configFile = join(folder, 'constellation.config.json')
  const logFile = join(folder, 'agent.log')
  mkdirSync(dataDir, { recursive: true })
  writeFileSync(configFile, stableJson(configOf(settings, folder, dataDir), 2))
  let agent: ChildProcess | undefined

  async function get<T>(path: string, port: number): Promise<T | undefined> {
    try {
      const { statusCode, body } = await request(`http://${address.ip}:${port}${path}`, {
        headersTimeout: 1_000,
        bodyTimeout: 1_000,
      })
      const text = await body.text()
      // The caller names the shape it expects of our own API.
      return statusCode === 200 ? (JSON.parse(text) as T) : undefined
    } catch {
      return undefined
    }
  }

  function killWorkloads(): void {
    for (const { pid } of runningWorkloads(dataDir)) killGroup(pid)
  }

  return {
    name,
    address,
    logFile,
    get running() {
      return agent !== undefined && agent.exitCode === null && agent.signalCode === null
    },
    start() {
      const log = openSync(logFile, 'a')
      agent = spawn(process.execPath, [mainFile, 'agent', '--config', configFile], {
        stdio: ['ignore', log, log],
        detached: true,
        env: agentEnvironment(),
      })
      writeFileSync(join(folder, agentPidFile), String(agent.pid))
    },
    powerOff() {
      if (agent?.pid !== undefined) killGroup(agent.pid)
      rmSync(join(folder, agentPidFile), { force: true })
      killWorkloads()
    },
    async stop() {
      const leaving = agent
      if (leaving?.pid !== undefined && leaving.exitCode === null && leaving.signalCode === null) {
        const ended = new Promise(resolve => leaving.once('exit', resolve))
        leaving.kill('SIGTERM')
        const tooLate = setTimeout(() => leaving.kill('SIGKILL'), stopGraceMs)
        await ended
        clearTimeout(tooLate)
      }
      rmSync(join(folder, agentPidFile), { force: true })
      killWorkloads()
    },
    get: path => get(path, address.api),
    async document() {
      const parsed = await get<object>('/', address.provider)
      return parsed === undefined ? undefined : JSON.stringify(parsed)
    },
  }
}

function configOf(settings: DemoNodeSettings, folder: string, dataDir: string): Parameters<typeof stableJson>[0] {
  const { name, address } = settings
  const web = {
    service: 'web',
    command: process.execPath,
    args: [webFile],
    env: { DEMO_NODE: name },
    port: address.web,
    labels: { 'constellation.expose': 'true' },
    health: { http: '/health', intervalMs: 500, timeoutMs: 500, retries: 2 },
  }
  return {
    node: { name },
    domain: 'localhost',
    gossip: { bindAddr: address.ip, bindPort: address.gossip, seeds: [...settings.seeds] },
    raft: { port: address.raft },
    api: { port: address.api, bind: ['mesh'] },
    provider: { port: address.provider, bind: ['mesh'] },
    proxy: { port: address.proxy, bind: ['mesh'] },
    engine: { kind: 'process', processes: settings.web ? [web] : [] },
    paths: { dataDir, configPath: join(folder, 'volumes'), secretsPath: join(folder, 'secrets') },
  }
}

/** The user's own settings for a real agent must not leak into the demo. */
function agentEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, TMPDIR }
}
