/**
 * Outlives the demo to clean up after it: its input is a pipe that only the demo holds, so it ends when the demo does, even
 * when that was killed with SIGKILL. Then whatever still runs of the demo's folder is ended too.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runningWorkloads } from '../../adapters/process/process-state.ts'

const thisFile = fileURLToPath(import.meta.url)

/** In each node's folder; holds the pid of its agent, which leads a process group. */
export const agentPidFile = 'agent.pid'

export function startGuard(folder: string): ChildProcess {
  const guard = spawn(process.execPath, [thisFile, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.unref()
  return guard
}

/** SIGKILL for every agent and workload of the folder. Agents first: they would start their workloads again. */
export function endAllOf(folder: string): void {
  const nodes = existsSync(folder) ? readdirSync(folder).map(name => join(folder, name)) : []
  for (const node of nodes) {
    const file = join(node, agentPidFile)
    if (existsSync(file)) killGroup(Number(readFileSync(file, 'utf8')))
  }
  for (const node of nodes) for (const { pid } of runningWorkloads(join(node, 'data'))) killGroup(pid)
}

/** Both agents and workloads lead a process group of their own. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Already gone: that is what was wanted.
  }
}

if (process.argv[1] === thisFile) {
  process.stdin.resume()
  process.stdin.on('close', () => endAllOf(process.argv[2] ?? ''))
}
