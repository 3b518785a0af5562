/** What the lab has set up, kept in a file so that each command finds what an earlier one made. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface LabNode {
  /** `node-a`, `node-b`, ... */
  readonly name: string
  /** Address on the lab's bridge; plays the mesh address. */
  readonly ip: string
  readonly namespace: string
  /** End of the veth pair that stays in the root namespace. */
  readonly link: string
  readonly folder: string
  readonly socket: string
  dockerdPid?: number
  agentPid?: number
}

export interface LabState {
  readonly folder: string
  readonly nodes: LabNode[]
}

/** On a real file system, because overlay2 cannot sit on an overlay; short, because a socket path may have 107 bytes. */
export const labFolder = process.env['LAB_FOLDER'] ?? '/var/lib/constellation-lab'
export const bridge = 'cstlab0'
export const bridgeAddress = '10.77.0.254'

export function planNodes(count: number): LabNode[] {
  return Array.from({ length: count }, (_, i) => {
    const letter = String.fromCodePoint(97 + i)
    const folder = join(labFolder, letter)
    return {
      name: `node-${letter}`,
      ip: `10.77.0.${i + 1}`,
      namespace: `cstlab-${letter}`,
      link: `cstlab-v${letter}`,
      folder,
      socket: join(folder, 'docker.sock'),
    }
  })
}

export function loadState(): LabState {
  try {
    // Written by saveState alone.
    return JSON.parse(readFileSync(join(labFolder, 'state.json'), 'utf8')) as LabState
  } catch {
    return { folder: labFolder, nodes: [] }
  }
}

export function saveState(state: LabState): void {
  mkdirSync(state.folder, { recursive: true })
  writeFileSync(join(state.folder, 'state.json'), JSON.stringify(state, null, 2))
}

/** Accepts `node-a`, `a` or `A`. Throws when there is no such node. */
export function nodeOf(state: LabState, name: string): LabNode {
  const wanted = name.toLowerCase()
  const node = state.nodes.find(candidate => candidate.name === wanted || candidate.name === `node-${wanted}`)
  if (node !== undefined) return node
  const known = state.nodes.map(candidate => candidate.name).join(', ') || 'none; run `npm run lab -- up 3` first'
  throw new Error(`the lab has no node ${name} (known: ${known})`)
}
