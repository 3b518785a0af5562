/**
 * `constellation agent`: runs until a signal, then stops in order. SIGTERM and SIGINT mean "I will be back"; a second
 * signal ends at once. A broken invariant ends the process too, because its state can no longer be trusted.
 */
import { pinoLog } from '../adapters/node/pino-log.ts'
import { describeError } from '../kernel/errors.ts'
import type { Log } from '../ports/log.ts'
import { assembleAgent } from './assemble.ts'
import type { Config } from './config.ts'

/** Exit codes: 0 stopped as told, 1 could not start or broke. */
export async function runAgent(config: Config): Promise<number> {
  const log = pinoLog({ ...config.log, isTerminal: process.stdout.isTTY }).child({ node: config.node.name })
  exitOnBug(log)
  const signal = nextSignal()
  const agent = await assembleAgent(config, log)
  await agent.start()
  log.info(`stopping on ${await signal}`)
  void nextSignal().then(() => process.exit(1))
  await agent.stop()
  return 0
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
