/**
 * `constellation agent`: runs until a signal, then stops in order. SIGTERM and SIGINT mean "I will be back"; a second
 * signal ends at once. A broken invariant ends the process too, because its state can no longer be trusted.
 */
import { pinoLog } from '../adapters/node/pino-log.ts'
import { ConstellationError, describeError } from '../kernel/errors.ts'
import type { Log } from '../ports/log.ts'
import { assembleAgent, type Agent } from './assemble.ts'
import type { Config } from './config.ts'

/** Exit codes: 0 stopped as told, 1 could not start or broke. */
export async function runAgent(config: Config): Promise<number> {
  const log = pinoLog({ ...config.log, isTerminal: process.stdout.isTTY }).child({ node: config.node.name })
  exitOnBug(log)
  const signal = nextSignal()
  const agent = await startAgent(config, log).catch((error: unknown) => {
    logStartFailure(error, log, process.stdout.isTTY)
    throw error
  })
  log.info(`stopping on ${await signal}`)
  void nextSignal().then(() => process.exit(1))
  await agent.stop()
  return 0
}

async function startAgent(config: Config, log: Log): Promise<Agent> {
  const agent = await assembleAgent(config, log)
  await agent.start()
  return agent
}

/** For who reads logs. The command line says the same on standard error, and on a terminal that is enough. */
export function logStartFailure(error: unknown, log: Log, isTerminal: boolean): void {
  if (isTerminal) return
  const { code, hint }: Partial<ConstellationError> = error instanceof ConstellationError ? error : {}
  log.error(`the agent could not start: ${describeError(error)}`, {
    ...(code === undefined ? {} : { code }),
    ...(hint === undefined ? {} : { hint }),
  })
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

/** The service manager starts us anew; containers do not notice. */
function exitOnBug(log: Log): void {
  const exit = (error: unknown): void => {
    log.error(`a bug ends this agent: ${describeError(error)}`, { error })
    process.exit(1)
  }
  process.on('uncaughtException', exit)
  process.on('unhandledRejection', exit)
}
