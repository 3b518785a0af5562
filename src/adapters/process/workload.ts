/**
 * One process kept running, as a container with the restart policy `unless-stopped` would be: adopted or started, checked,
 * and started again with a growing delay when it exits. To stop supervising is not to stop the process.
 * Invariant: at most one process of a workload runs at a time.
 */
import { join } from 'node:path'
import type { ContainerFact } from '../../core/health/index.ts'
import { describeError } from '../../kernel/errors.ts'
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { sleep } from '../../ports/clock.ts'
import { EngineUnavailable } from '../../ports/container-engine.ts'
import type { Log } from '../../ports/log.ts'
import { probe } from './health-probe.ts'
import { judge, notCheckedYet } from './health-verdict.ts'
import { processFact } from './process-fact.ts'
import type { WorkloadStatus } from './process-fact.ts'
import type { ProcessSpec } from './process-spec.ts'
import { processFolder } from './process-state.ts'
import type { WorkloadRecord } from './process-state.ts'
import { endOrphans, endProcess } from './process-table.ts'
import { adoptProcess, startProcess } from './running-process.ts'
import type { RunningProcess } from './running-process.ts'

export interface WorkloadOptions {
  readonly spec: ProcessSpec
  /** As an earlier agent left it, or a new one without a process. */
  readonly record: WorkloadRecord
  readonly dataDir: string
  /** What the process is told to listen on, and where it is checked. */
  readonly publishIp: string
  readonly clock: Clock
  readonly log: Log
  /** `record` changed; it must be on disk before this returns. */
  readonly onRecord: () => void
  /** `fact` changed. */
  readonly onChange: () => void
}

export interface Workload {
  readonly outputFile: string
  record(): WorkloadRecord
  fact(): ContainerFact
  /** Keeps it running until `signal` aborts, then resolves and leaves it running. */
  supervise(signal: AbortSignal): Promise<void>
  /** Resolves when another process runs in its place. Rejects with EngineUnavailable. Only while supervised. */
  restart(): Promise<void>
}

const restartDelayMsMin = 100
const restartDelayMsMax = 60_000
/** Having run this long it is in no crash loop. */
const steadyMs = 10_000
/** Between SIGTERM and SIGKILL, as Docker has it. */
export const stopGraceMs = 10_000
/** What a shell answers for a program that cannot be started. */
const notStartedExitCode = 127
/** The agent's environment may hold secrets; only this much of it is a child's business. */
const inheritedVariables = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']

export function createWorkload(options: WorkloadOptions): Workload {
  const { spec, publishIp, clock, log } = options
  const env = environmentOf(spec, publishIp)
  const outputFile = join(processFolder(options.dataDir), `${options.record.name}.log`)
  const adopted = adoptProcess(options.record.process, clock)
  let record = options.record
  let status: WorkloadStatus = {
    state: adopted === undefined ? 'created' : 'running',
    verdict: adopted === undefined ? notCheckedYet : { health: record.health, failingStreak: 0 },
    exitCode: undefined,
  }
  /** Whoever waits for the next start hears how it went. */
  let waiting: ((failure?: Error) => void)[] = []
  let isHurried = false
  let wake = (): void => undefined

  function change(now: Partial<WorkloadStatus>, kept: Partial<WorkloadRecord>): void {
    status = { ...status, ...now }
    record = { ...record, ...kept, health: status.verdict.health }
    options.onRecord()
    options.onChange()
  }

  function answer(failure?: Error): void {
    const heard = waiting
    waiting = []
    for (const hear of heard) hear(failure)
  }

  async function start(): Promise<RunningProcess | undefined> {
    const { command, args, cwd } = spec
    const started = await startProcess({ command, args, cwd, env, outputFile }).catch((error: unknown) => {
      log.error('process could not be started', { error })
      answer(new EngineUnavailable(`start ${command}: ${describeError(error)}`, { cause: error }))
    })
    if (started === undefined) return undefined
    const kept = { process: started.identity, startedAtWallMs: clock.wallNow() }
    change({ state: 'running', verdict: notCheckedYet, exitCode: undefined }, kept)
    log.info('process started', { pid: started.identity.pid })
    answer()
    return started
  }

  async function check(isAdopted: boolean, signal: AbortSignal): Promise<void> {
    const { health, port } = spec
    if (health === undefined) return
    const address = port === undefined ? undefined : { ip: reachable(publishIp), port }
    const began = clock.now()
    // What is remembered of an adopted process may be old: look at once. It is past its start period, too.
    if (!isAdopted) await sleep(clock, health.intervalMs, signal)
    for (;;) {
      const ageMs = isAdopted ? Infinity : clock.now() - began
      const passed = await probe({ check: health, address, env, cwd: spec.cwd }, clock, signal)
      signal.throwIfAborted()
      const before = status.verdict
      const verdict = judge(before, { passed, ageMs }, health)
      if (verdict.health === before.health) status = { ...status, verdict }
      else change({ verdict }, {})
      await sleep(clock, health.intervalMs, signal)
    }
  }

  /** Answers its exit code. */
  async function accompany(running: RunningProcess, signal: AbortSignal): Promise<number | undefined> {
    const gone = new AbortController()
    const checking = check(running.isAdopted, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) log.error('checks of a process ended', { error })
    })
    try {
      return await running.exited(signal)
    } finally {
      gone.abort(new Error('no longer supervised'))
      await checking
    }
  }

  async function supervise(signal: AbortSignal): Promise<void> {
    let delayMs = restartDelayMsMin
    let running = adopted
    if (running !== undefined) log.info('process adopted', { pid: running.identity.pid })
    while (!signal.aborted) {
      const began = clock.now()
      running ??= await start()
      const exitCode = running === undefined ? notStartedExitCode : await accompany(running, signal)
      if (running !== undefined) {
        endOrphans(running.identity.pid)
        log.warn('process exited', { pid: running.identity.pid, exitCode })
      }
      running = undefined
      change({ state: 'restarting', verdict: notCheckedYet, exitCode }, { process: null })
      if (clock.now() - began >= steadyMs) delayMs = restartDelayMsMin
      await pause(delayMs, signal)
      delayMs = Math.min(delayMs * 2, restartDelayMsMax)
    }
  }

  /** Shorter when a restart is asked for. */
  async function pause(delayMs: Millis, signal: AbortSignal): Promise<void> {
    if (!isHurried && !signal.aborted) {
      const nap = new AbortController()
      wake = () => nap.abort()
      signal.addEventListener('abort', wake, { once: true })
      await sleep(clock, delayMs, nap.signal).catch(() => undefined)
      signal.removeEventListener('abort', wake)
    }
    isHurried = false
  }

  return {
    outputFile,
    record: () => record,
    fact: () => processFact(spec, record, status, publishIp),

    async supervise(signal) {
      try {
        await supervise(signal)
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        answer(new EngineUnavailable(`process ${record.name} is no longer supervised`))
      }
    },

    async restart() {
      const started = new Promise<void>((resolve, reject) => {
        waiting.push(failure => (failure === undefined ? resolve() : reject(failure)))
      })
      isHurried = true
      wake()
      await Promise.all([started, endProcess(record.process, clock, stopGraceMs)])
    },
  }
}

function environmentOf(spec: ProcessSpec, publishIp: string): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(inheritedVariables.map(name => [name, process.env[name]]))
  const port = spec.port === undefined ? {} : { PORT: String(spec.port) }
  return { ...inherited, ...spec.env, ...port, HOST: publishIp, CONSTELLATION_SERVICE: spec.service }
}

/** An address that stands for all of them is none to connect to. */
function reachable(ip: string): string {
  return ip === '0.0.0.0' ? '127.0.0.1' : ip === '::' ? '::1' : ip
}
