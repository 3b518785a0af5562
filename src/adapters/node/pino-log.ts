/**
 * The log over pino: JSON lines, or lines for people on a terminal. Writes synchronously, so that the last words of a
 * crashing agent are not lost; pino's worker transport would also not survive bundling. Secrets are cut out by name.
 */
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { ConstellationError, describeError } from '../../kernel/errors.ts'
import type { Log, LogFields } from '../../ports/log.ts'

export interface PinoLogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Absent: pretty when `isTerminal`. */
  readonly pretty?: boolean | undefined
  readonly isTerminal?: boolean
  /** Standard output unless a test listens. */
  readonly destination?: DestinationStream
}

const secretNames = ['token', 'authorization', 'password', 'secret', 'cookie']

export function pinoLog(options: PinoLogOptions): Log {
  const lines = options.destination ?? steadyLines(1)
  const pretty = options.pretty ?? options.isTerminal ?? false
  return overPino(pino(settings(options.level), pretty ? prettyStream(lines, options.isTerminal ?? false) : lines))
}

/** Lines that found no room wait up to this, for the disk to have room again. */
const waitingBytesMax = 1024 * 1024

/** To a file or descriptor, at once. A log that cannot be written, because its disk is full, must not end the agent. */
export function steadyLines(dest: string | number): DestinationStream {
  const lines = pino.destination({ dest, sync: true, maxLength: waitingBytesMax })
  lines.on('error', () => undefined)
  return lines
}

function settings(level: PinoLogOptions['level']) {
  return {
    level,
    base: {},
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: serialiseError },
    redact: {
      paths: secretNames.flatMap(name => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    },
  }
}

function prettyStream(destination: DestinationStream, colorize: boolean): DestinationStream {
  const format = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l', singleLine: true, errorLikeObjectKeys: [] })
  return { write: line => destination.write(format(line)) }
}

/** The whole chain of causes in one sentence; the stack only where the bug is ours. */
function serialiseError(thrown: unknown): object {
  const message = describeError(thrown)
  if (!(thrown instanceof Error)) return { message }
  if (thrown instanceof ConstellationError) {
    return {
      name: thrown.name,
      code: thrown.code,
      message,
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    }
  }
  return { name: thrown.name, message, stack: thrown.stack }
}

function overPino(logger: Logger): Log {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void =>
      logger[level](fields, message)
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => overPino(logger.child(fields)),
  }
}
