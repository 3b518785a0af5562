/** One agent per node, run from the build inside the node's network namespace, beside the node's own engine. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { enter } from './network.ts'
import { isRunning, killHard, launch, run, until } from './shell.ts'
import type { LabNode, LabState } from './state.ts'

export const domain = 'lab.test'
const mainFile = fileURLToPath(new URL('../dist/app/main.js', import.meta.url))

export async function startAgent(state: LabState, node: LabNode): Promise<void> {
  const configFile = writeConfig(state, node)
  const log = join(node.folder, 'agent.log')
  node.agentPid = launch(
    'nsenter',
    [...enter(node), process.execPath, mainFile, 'agent', '--config', configFile],
    log,
    {
      PATH: process.env['PATH'],
    },
  )
  await until(`the agent of ${node.name} answers (its log: ${log})`, 15_000, () =>
    get(node, 8080, '/health').then(Boolean),
  )
}

export async function stopAgent(node: LabNode): Promise<void> {
  const pid = node.agentPid
  if (pid === undefined || !isRunning(pid)) return
  process.kill(pid, 'SIGTERM')
  await until(`the agent of ${node.name} ended`, 15_000, () => !isRunning(pid)).catch(() => killHard(pid))
  delete node.agentPid
}

/** kill -9: its containers go on. */
export function crashAgent(node: LabNode): void {
  if (node.agentPid !== undefined) killHard(node.agentPid)
  delete node.agentPid
}

/** GET from inside the node's namespace through loopback, as an operator on the node would. Undefined: no answer. */
export async function get(node: LabNode, port: number, path: string, host?: string): Promise<string | undefined> {
  const headers = host === undefined ? [] : ['--header', `Host: ${host}`]
  return run('nsenter', [
    ...enter(node),
    'curl',
    '--silent',
    '--show-error',
    '--max-time',
    '8',
    ...headers,
    `http://127.0.0.1:${port}${path}`,
  ]).catch(() => undefined)
}

function writeConfig(state: LabState, node: LabNode): string {
  const folder = join(node.folder, 'agent')
  mkdirSync(folder, { recursive: true })
  const seeds = state.nodes.filter(other => other.name !== node.name).map(other => `${other.ip}:7946`)
  const file = join(folder, 'constellation.config.json')
  const config = {
    node: { name: node.name },
    domain,
    gossip: { bindAddr: node.ip, seeds },
    engine: { kind: 'docker', docker: { socketPath: node.socket } },
    paths: { dataDir: join(folder, 'data'), configPath: join(folder, 'volumes'), secretsPath: join(folder, 'secrets') },
  }
  writeFileSync(file, JSON.stringify(config, null, 2))
  return file
}
