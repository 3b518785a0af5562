/** Structured log lines. Every hop of a walk passes the same `key` (`web@node-a#8`), so one grep tells the story. */
export interface LogFields {
  readonly key?: string
  readonly error?: unknown
  readonly [field: string]: unknown
}

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose lines all carry these fields too. */
  child(fields: LogFields): Log
}
