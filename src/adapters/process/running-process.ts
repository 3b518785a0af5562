/** A process that runs now: one we have just started, or one an earlier agent left running and we take over. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Clock } from '../../ports/clock.ts'
import { sleep } from '../../ports/clock.ts'
import { withOutput } from './process-output.ts'
import { identify, isRunning } from './process-table.ts'
import type { ProcessIdentity } from './process-table.ts'

export interface RunningProcess {
  readonly identity: ProcessIdentity
  readonly isAdopted: boolean
  /** Its exit code, 128 and the signal when one ended it, undefined when it is not our child. Rejects on abort. */
  exited(signal: AbortSignal): Promise<number | undefined>
}

export interface StartOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly outputFile: string
}

const adoptedPollMs = 250

/** Starts it as leader of a process group and session of its own, so that it outlives us. Rejects when it cannot start. */
export async function startProcess({ command, args, cwd, env, outputFile }: StartOptions): Promise<RunningProcess> {
  const child = withOutput(outputFile, output =>
    spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', output, output] }),
  )
  if (child.pid === undefined) {
    const [error] = await once(child, 'error')
    throw error
  }
  child.unref()
  const exit = new Promise<number>(resolve => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
  return {
    // One that is gone before we can look has an identity nobody else can have, and its exit is reported like any other.
    identity: identify(child.pid) ?? { pid: child.pid, startTicks: -1, bootId: '' },
    isAdopted: false,
    exited: signal => unlessAborted(exit, signal),
  }
}

/** Undefined when it does not run any more. */
export function adoptProcess(identity: ProcessIdentity | null, clock: Clock): RunningProcess | undefined {
  if (identity === null || !isRunning(identity)) return undefined
  return {
    identity,
    isAdopted: true,
    async exited(signal) {
      // Not our child: nobody tells us.
      while (isRunning(identity)) await sleep(clock, adoptedPollMs, signal)
      return undefined
    },
  }
}

/** `promise` must not reject. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void promise.then(resolve).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
