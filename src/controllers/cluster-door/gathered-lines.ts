/**
 * Log lines that wait to be taken to the other side. Bounded: of a flood the beginning is kept, which tells the cause, and
 * the rest is counted. Lines below the level nobody sees are not gathered at all.
 */
import { describeError } from '../../kernel/errors.ts'
import type { Millis } from '../../kernel/units.ts'
import type { Log, LogFields } from '../../ports/log.ts'
import { errorData } from './error-data.ts'
import type { ErrorData } from './error-data.ts'
import type { LineData, LogLevel } from './messages.ts'

export interface GatheredLines {
  readonly log: Log
  take(): { readonly lines: readonly LineData[]; readonly linesDropped: number }
}

export interface GatheredLinesOptions {
  /** The least that is written. */
  readonly level: LogLevel
  readonly now: () => Millis
  /** There is something to take. */
  readonly onLine: () => void
}

export const linesMax = 500
/** Fields nested deeper than this are nothing a log line shows. */
const depthMax = 4
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function gatheredLines({ level: least, now, onLine }: GatheredLinesOptions): GatheredLines {
  let lines: LineData[] = []
  let linesDropped = 0

  function write(level: LogLevel, message: string, fields: LogFields): void {
    if (lines.length < linesMax) lines.push({ level, message, atMs: now(), ...split(fields) })
    else linesDropped++
    onLine()
  }

  function logWith(base: LogFields): Log {
    const at = (level: LogLevel) =>
      levels.indexOf(level) < levels.indexOf(least)
        ? () => undefined
        : (message: string, fields: LogFields = {}) => write(level, message, { ...base, ...fields })
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: fields => logWith({ ...base, ...fields }),
    }
  }

  return {
    log: logWith({}),
    take() {
      const taken = { lines, linesDropped }
      lines = []
      linesDropped = 0
      return taken
    },
  }
}

/** Errors are taken apart, everything else is made plain. */
function split(fields: LogFields): Pick<LineData, 'fields' | 'errors'> {
  const plain: Record<string, unknown> = {}
  const errors: Record<string, ErrorData> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) errors[name] = errorData(value)
    else plain[name] = plainOf(value, 0)
  }
  return { fields: plain, errors }
}

/** A line must never fail to be copied, whatever somebody put into it. */
function plainOf(value: unknown, depth: number): unknown {
  if (value instanceof Error) return describeError(value)
  if (typeof value === 'function' || typeof value === 'symbol') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === depthMax) return '…'
  if (Array.isArray(value)) return value.map(item => plainOf(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainOf(item, depth + 1)]))
}
