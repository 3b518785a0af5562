/** One real Docker engine per node, inside the node's network namespace, with its own data below the node's folder. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { enter } from './network.ts'
import { isRunning, killHard, launch, run, until } from './shell.ts'
import type { LabNode } from './state.ts'

export async function startEngine(node: LabNode): Promise<void> {
  mkdirSync(node.folder, { recursive: true })
  rmSync(join(node.folder, 'docker.pid'), { force: true })
  node.dockerdPid = launch(
    'nsenter',
    [
      ...enter(node),
      'dockerd',
      `--data-root=${join(node.folder, 'data')}`,
      `--exec-root=${join(node.folder, 'exec')}`,
      `--pidfile=${join(node.folder, 'docker.pid')}`,
      `--host=unix://${node.socket}`,
    ],
    join(node.folder, 'dockerd.log'),
  )
  await until(`the engine of ${node.name} answers`, 30_000, () => docker(node, ['version']).then(Boolean, () => false))
}

export async function stopEngine(node: LabNode): Promise<void> {
  if (node.dockerdPid === undefined) return
  const pid = node.dockerdPid
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    return
  }
  await until(`the engine of ${node.name} ended`, 30_000, () => !isRunning(pid)).catch(() => killHard(pid))
  delete node.dockerdPid
}

/** What a power cut does: engine, containerd, shims and containers end at once, nobody says goodbye. */
export function crashEngine(node: LabNode): void {
  const doomed = processesOf(node)
  for (const pid of doomed) killHard(pid)
  delete node.dockerdPid
}

/** Debian's client, whatever else comes first on the PATH. */
export function docker(node: LabNode, args: readonly string[], input?: Uint8Array): Promise<string> {
  const client = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker'
  return run(client, ['--host', `unix://${node.socket}`, ...args], input)
}

/**
 * Pids of the engine and all below it: those whose command line names the node's folder (dockerd, containerd, shims,
 * docker-proxy is a child of dockerd) and all their descendants (the containers' processes).
 */
function processesOf(node: LabNode): readonly number[] {
  const parents = new Map<number, number>()
  const roots: number[] = []
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${node.folder}/`)) roots.push(pid)
    } catch {
      // It ended while we looked.
    }
  }
  return [...parents.keys()].filter(pid => pid !== process.pid && descendsFrom(pid, roots, parents))
}

function descendsFrom(pid: number, roots: readonly number[], parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
    if (roots.includes(at)) return true
  }
  return false
}
