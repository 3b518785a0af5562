/** One health check of a process: an HTTP GET, a TCP connect, or a command. Answers whether it passed, and never rejects. */
import { execFile } from 'node:child_process'
import { get } from 'node:http'
import { connect } from 'node:net'
import type { Address } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { withDeadline } from '../node/deadline.ts'
import type { ProcessHealth } from './process-spec.ts'

export interface ProbeTarget {
  readonly check: ProcessHealth
  /** Where the process listens; without it checks over the network fail. */
  readonly address: Address | undefined
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string | undefined
}

export function probe(target: ProbeTarget, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const late = (): Error => new Error('the check took too long')
  const options = { clock, timeoutMs: target.check.timeoutMs, signal, late }
  return withDeadline(options, cancel => ask(target, cancel)).then(
    () => true,
    () => false,
  )
}

/** Rejects when the check fails. */
async function ask({ check, address, env, cwd }: ProbeTarget, signal: AbortSignal): Promise<void> {
  if ('command' in check) return runCommand(check.command, { env, cwd, signal })
  if (address === undefined) throw new Error('there is no port to ask')
  return 'http' in check ? getPath(address, check.http, signal) : knock(address, signal)
}

function getPath({ ip, port }: Address, path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ host: ip, port, path, agent: false, signal }, response => {
      const status = response.statusCode ?? 0
      response.destroy() // the verdict is in the status; a body may never end
      if (status >= 200 && status < 400) resolve()
      else reject(new Error(`HTTP ${status}`))
    })
    request.on('error', reject)
  })
}

function knock({ ip, port }: Address, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: ip, port, signal })
    socket.on('error', reject)
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}

interface CommandOptions {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string | undefined
  readonly signal: AbortSignal
}

function runCommand([program = '', ...args]: readonly string[], options: CommandOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { ...options, killSignal: 'SIGKILL' }, error =>
      error === null ? resolve() : reject(error),
    )
  })
}
