/** The lab's operations, for the command line and for tests: several real nodes on one Linux machine. Needs root. */
import { mkdirSync, rmSync } from 'node:fs'
import { crashAgent, startAgent, stopAgent } from './agent.ts'
import { crashEngine, startEngine, stopEngine } from './engine.ts'
import { createBridge, createNamespace, cut, healAll, plug, removeBridge, removeNamespace, unplug } from './network.ts'
import { importImage, startStack } from './stack.ts'
import { attempt } from './shell.ts'
import { labFolder, loadState, nodeOf, planNodes, saveState, type LabState } from './state.ts'

export interface UpOptions {
  /** Start the example stack on every node before the agents. */
  readonly stacks: boolean
  readonly agents: boolean
}

export async function up(count: number, options: UpOptions, say: (line: string) => void): Promise<LabState> {
  if (loadState().nodes.length > 0) await down(say)
  const state: LabState = { folder: labFolder, nodes: planNodes(count) }
  mkdirSync(labFolder, { recursive: true })
  saveState(state)
  await createBridge()
  await Promise.all(state.nodes.map(createNamespace))
  say(`${count} namespaces on one bridge; starting an engine in each`)
  for (const node of state.nodes) {
    await startEngine(node)
    saveState(state)
    await importImage(node)
    if (options.stacks) await startStack(node)
    say(`${node.name} ${node.ip}: engine up${options.stacks ? ', stack "shop" running' : ''}`)
  }
  if (options.agents) {
    for (const node of state.nodes) {
      await startAgent(state, node)
      say(`${node.name} ${node.ip}: agent up`)
    }
  }
  saveState(state)
  return state
}

export async function partition(a: string, b: string, oneWay: boolean): Promise<void> {
  const state = loadState()
  await cut(nodeOf(state, a), nodeOf(state, b))
  if (!oneWay) await cut(nodeOf(state, b), nodeOf(state, a))
}

export async function heal(): Promise<void> {
  await healAll(loadState().nodes)
}

export async function powerOff(name: string): Promise<void> {
  const state = loadState()
  const node = nodeOf(state, name)
  await unplug(node)
  crashAgent(node)
  crashEngine(node)
  saveState(state)
}

export async function powerOn(name: string): Promise<void> {
  const state = loadState()
  const node = nodeOf(state, name)
  await plug(node)
  await startEngine(node)
  await startAgent(state, node)
  saveState(state)
}

export async function down(say: (line: string) => void): Promise<void> {
  const state = loadState()
  for (const node of state.nodes) {
    await stopAgent(node)
    await stopEngine(node)
    crashEngine(node)
    await removeNamespace(node)
    say(`${node.name}: gone`)
  }
  await removeBridge()
  // Engines that were killed leave their mounts behind.
  for (const node of state.nodes)
    await attempt('sh', ['-c', `grep -o '${node.folder}[^ ]*' /proc/mounts | sort -r | xargs -r -n1 umount -l`])
  rmSync(labFolder, { recursive: true, force: true })
}
