/** What the process engine is asked to run. Values are checked and defaults filled in by the configuration. */
import type { Millis, Port } from '../../kernel/units.ts'

export interface ProcessSpec {
  /** Identity of the service: `web`, or `project:web`. Two specs of one service are two instances of it. */
  readonly service: string
  readonly command: string
  readonly args: readonly string[]
  /** On top of PORT, HOST, CONSTELLATION_SERVICE and a few harmless variables of the agent (PATH, HOME and the like). */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string | undefined
  /** The TCP port it listens on, on the node's address. */
  readonly port?: Port | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Absent: running is healthy. */
  readonly health?: ProcessHealth | undefined
}

/** With Docker's meaning, so that both engines judge alike. */
export interface HealthTiming {
  /** From the end of one check to the start of the next. */
  readonly intervalMs: Millis
  /** A check that takes longer has failed. */
  readonly timeoutMs: Millis
  /** Failures in a row that make it unhealthy. */
  readonly retries: number
  /** Failures this soon after the start do not count, until the first success. */
  readonly startPeriodMs: Millis
}

export type ProcessHealth = HealthTiming &
  (
    | { /** Path; any answer of 200 to 399 passes. */ readonly http: string }
    | { /** Accepting a connection passes. */ readonly tcp: true }
    | { /** Program and arguments; exit code 0 passes. */ readonly command: readonly string[] }
  )
