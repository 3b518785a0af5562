/**
 * The engine for nodes without Docker, for the demo and for fast tests: local child processes behind the same port. They run
 * while somebody watches and go on running when nobody does, or when the agent dies: the next one adopts them. Only `apply`,
 * `stop` and `restart` end a process.
 */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ContainerFact } from '../../core/health/index.ts'
import { stableJson } from '../../kernel/stable-json.ts'
import type { Clock } from '../../ports/clock.ts'
import { sleep } from '../../ports/clock.ts'
import { ContainerGone, EngineUnavailable } from '../../ports/container-engine.ts'
import type { ContainerEngine, EngineEvent } from '../../ports/container-engine.ts'
import type { Log } from '../../ports/log.ts'
import { withDeadline } from '../node/deadline.ts'
import { boundOutput } from './process-output.ts'
import type { ProcessSpec } from './process-spec.ts'
import { readWorkloads, writeWorkloads } from './process-state.ts'
import type { WorkloadRecord } from './process-state.ts'
import { endProcess } from './process-table.ts'
import { createWorkload, stopGraceMs } from './workload.ts'
import type { Workload } from './workload.ts'

export interface ProcessEngineOptions {
  readonly specs: readonly ProcessSpec[]
  /** State and output go to `processes/` in it. One agent at a time. */
  readonly dataDir: string
  /** The node's address: processes are told to listen there, and are reported there. */
  readonly publishIp: string
  readonly clock: Clock
  readonly log: Log
}

export interface ProcessEngine extends ContainerEngine {
  /** What shall run from now on: ends what is not in it or has changed, starts what is new. Resolves when the old are gone. */
  apply(specs: readonly ProcessSpec[]): Promise<void>
  /** Ends every process of this data directory, whoever started it. */
  stop(): Promise<void>
}

interface Member {
  readonly workload: Workload
  readonly supervision: AbortController
  readonly supervised: Promise<void>
}

const listIntervalMs = 10_000
/** A stop with its grace, and a start. */
const restartTimeoutMs = stopGraceMs + 20_000

export function createProcessEngine(options: ProcessEngineOptions): ProcessEngine {
  const { dataDir, publishIp, clock } = options
  const log = options.log.child({ engine: 'process' })
  const watchers = new Set<(event: EngineEvent) => void>()
  const members = new Map<string, Member>()
  /** Processes on their way out, by name: what takes their place waits for them. */
  const leaving = new Map<string, Promise<void>>()
  const reported = new Map<string, ContainerFact>()
  let specs = options.specs
  let isOpen = false
  let closing = Promise.resolve()

  function report(event: EngineEvent): void {
    for (const tell of watchers) tell(event)
  }

  function reportChange(fact: ContainerFact): void {
    if (isDeepStrictEqual(reported.get(fact.id), fact)) return
    reported.set(fact.id, fact)
    report({ kind: 'changed', container: fact })
  }

  function persist(): void {
    try {
      const records = [...members.values()].map(({ workload }) => workload.record())
      writeWorkloads(dataDir, records)
    } catch (error) {
      log.error('processes could not be recorded; a restarted agent will not know them', { error })
    }
  }

  function recorded(): readonly WorkloadRecord[] {
    try {
      return readWorkloads(dataDir)
    } catch (error) {
      log.error('the record of running processes is unreadable; they may be started twice', { error })
      return []
    }
  }

  function hire(name: string, spec: ProcessSpec, record: WorkloadRecord): void {
    const supervision = new AbortController()
    const workload = createWorkload({
      spec,
      record,
      dataDir,
      publishIp,
      clock,
      log: log.child({ process: name }),
      onRecord: persist,
      onChange: () => reportChange(workload.fact()),
    })
    const supervised = (leaving.get(name) ?? Promise.resolve()).then(() => workload.supervise(supervision.signal))
    members.set(name, { workload, supervision, supervised })
  }

  function dismiss(name: string, { workload, supervision, supervised }: Member): void {
    const { id } = workload.record()
    members.delete(name)
    reported.delete(id)
    supervision.abort(new Error('dismissed'))
    leave(
      name,
      supervised.then(() => workload.record()),
    )
    report({ kind: 'removed', id })
  }

  function leave(name: string, record: Promise<WorkloadRecord>): void {
    const left = record
      .then(({ process }) => endProcess(process, clock, stopGraceMs))
      .finally(() => {
        if (leaving.get(name) === left) leaving.delete(name)
      })
    leaving.set(name, left)
  }

  /** `found`: what an earlier agent left behind; nothing while we supervise ourselves. */
  function reconcile(found: readonly WorkloadRecord[]): void {
    const wanted = new Map(named(specs).map(({ name, spec }) => [name, { spec, specHash: hashOf(spec, publishIp) }]))
    const isWanted = ({ name, specHash }: WorkloadRecord): boolean => wanted.get(name)?.specHash === specHash
    for (const [name, member] of members) if (!isWanted(member.workload.record())) dismiss(name, member)
    for (const record of found) if (!isWanted(record)) leave(record.name, Promise.resolve(record))
    for (const [name, { spec, specHash }] of wanted) {
      if (members.has(name)) continue
      const known = found.find(record => record.name === name && record.specHash === specHash)
      hire(name, spec, known ?? newRecord(name, specHash, `${dataDir} ${clock.wallNow()}`))
    }
    persist()
  }

  async function allLeft(): Promise<void> {
    await Promise.all(leaving.values())
  }

  function open(): void {
    isOpen = true
    reconcile(recorded())
  }

  /** Lets go of the processes without ending them. */
  async function close(): Promise<void> {
    isOpen = false
    for (const { supervision } of members.values()) supervision.abort(new Error('nobody watches'))
    await Promise.all([...members.values()].map(({ supervised }) => supervised))
    members.clear()
    reported.clear()
  }

  async function list(tell: (event: EngineEvent) => void): Promise<void> {
    const workloads = [...members.values()].map(({ workload }) => workload)
    const containers = workloads.map(workload => workload.fact())
    for (const fact of containers) reported.set(fact.id, fact)
    tell({ kind: 'listed', containers })
    await Promise.all(workloads.map(({ outputFile }) => boundOutput(outputFile))).catch((error: unknown) =>
      log.warn('output of a process could not be shortened', { error }),
    )
  }

  return {
    kind: 'process',

    async watch(listener, signal) {
      await closing
      if (signal.aborted) return
      const tell = (event: EngineEvent): void => {
        if (!signal.aborted) listener(event)
      }
      watchers.add(tell)
      if (!isOpen) open()
      tell({ kind: 'connected', version: process.version })
      while (!signal.aborted) {
        await list(tell)
        await sleep(clock, listIntervalMs, signal).catch(() => undefined)
      }
      watchers.delete(tell)
      if (watchers.size === 0) closing = close()
      await closing
    },

    async restart(id, signal) {
      const member = [...members.values()].find(({ workload }) => workload.record().id === id)
      if (!isOpen) throw new EngineUnavailable(`restart process ${id}: the engine is not being watched`)
      if (member === undefined) throw new ContainerGone(`restart process ${id}: there is no such process`)
      const late = (): Error =>
        new EngineUnavailable(`restart process ${id}: not done in ${restartTimeoutMs / 1_000} s`)
      await withDeadline({ clock, timeoutMs: restartTimeoutMs, signal, late }, () => member.workload.restart())
    },

    async apply(wanted) {
      specs = wanted
      await closing
      if (isOpen) reconcile([])
      await allLeft()
    },

    async stop() {
      specs = []
      await closing
      reconcile(isOpen ? [] : recorded())
      await allLeft()
    },
  }
}

/** `web`, `web#2`: instances of one service are told apart by their place in the list. */
function named(specs: readonly ProcessSpec[]): readonly { readonly name: string; readonly spec: ProcessSpec }[] {
  const seen = new Map<string, number>()
  return specs.map(spec => {
    const count = (seen.get(spec.service) ?? 0) + 1
    seen.set(spec.service, count)
    return { name: count === 1 ? spec.service : `${spec.service}#${count}`, spec }
  })
}

function hashOf(spec: ProcessSpec, publishIp: string): string {
  return sha256(stableJson({ ...spec, health: { ...spec.health }, publishIp }))
}

function newRecord(name: string, specHash: string, birth: string): WorkloadRecord {
  return { name, id: sha256(`${name} ${specHash} ${birth}`), specHash, process: null, health: 'starting' }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
