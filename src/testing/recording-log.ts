/** A log that keeps its lines, so that a test can ask what was said. */
import type { Log, LogFields } from '../ports/log.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

export interface RecordingLog extends Log {
  readonly lines: readonly LogLine[]
}

export function recordingLog(base: LogFields = {}, lines: LogLine[] = []): RecordingLog {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields: { ...base, ...fields } })
    }
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => recordingLog({ ...base, ...fields }, lines),
  }
}
