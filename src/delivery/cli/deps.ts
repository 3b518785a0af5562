/** What the command line needs from outside; src/app hands it in, tests hand in their own. */
import type { Millis } from '../../kernel/units.ts'

export interface Io {
  /** Standard output; for what was asked for. */
  out(text: string): void
  /** Standard error; for what went wrong. */
  err(text: string): void
  /** Standard output is a terminal that wants colours. */
  readonly colours: boolean
  /** Standard output is a terminal that can be drawn on. */
  readonly terminal: boolean
  /** Milliseconds since 1970; for ages. */
  wallNow(): Millis
  /** Monotonic; for round trips. */
  now(): Millis
}

/** The part of the configuration that clients need. */
export interface CliConfig {
  readonly api: { readonly port: number }
  readonly paths: { readonly secretsPath: string }
}

export interface ShownSetting {
  readonly path: string
  /** For people. */
  readonly value: string
  /** For programs: the value with its type, null when it is not set. */
  readonly json: unknown
  /** Read and checked, but nothing of this version acts on it. */
  readonly unused: boolean
  readonly origin: string
  readonly unit: string
  readonly why: string
}

export interface Loaded<C> {
  readonly config: C
  /** The file that was read, if any. */
  readonly file: string | undefined
  readonly settings: readonly ShownSetting[]
}

export interface ConfigFlag {
  /** `--bind-port` */
  readonly name: string
  readonly help: string
}

export interface DemoOptions {
  readonly once: boolean
  readonly json: boolean
}

export interface RequestParts {
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: string
  readonly signal: AbortSignal
}

export interface CliDeps<C extends CliConfig = CliConfig> {
  readonly version: string
  readonly io: Io
  readonly configFlags: readonly ConfigFlag[]
  /** `flags` by long option. Rejects with `CONFIG_INVALID`. */
  readonly loadConfig: (flags: Readonly<Record<string, string>>) => Promise<Loaded<C>>
  /** Answer the exit code. */
  readonly runAgent: (config: C) => Promise<number>
  readonly runDemo: (options: DemoOptions) => Promise<number>
  readonly readToken: (file: string) => Promise<string>
  readonly readFile: (file: string) => Promise<string>
  /** Until its end. */
  readonly readStdin: () => Promise<string>
  /** Resolves after `delayMs`, or at once when `signal` is aborted. */
  readonly sleep: (delayMs: Millis, signal: AbortSignal) => Promise<void>
  /** Aborted by Ctrl-C, which from then on no longer ends the process. */
  readonly interruption: () => AbortSignal
  readonly fetch: (url: string, init: RequestParts) => Promise<Response>
}

/** Told by the command that ran; a command that tells nothing ended well. */
export type Finish = (exitCode: number) => void
