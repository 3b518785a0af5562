/**
 * The base of every error the world can cause. A broken assumption of our own is `invariant`, not this;
 * an ordinary "no" (a refused merge, no node that fits) is a value, not an error.
 */
export class ConstellationError extends Error {
  /** Stable, for programs: `CONFIG_INVALID`, `ENGINE_UNAVAILABLE`. */
  readonly code: string
  /** What the person reading may do about it; shown after the message. */
  readonly hint: string | undefined

  constructor(code: string, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.hint = options.hint
  }
}

/** The text of anything that was thrown, with its chain of causes: `verb noun: cause: cause`. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const own = thrown.message === '' ? thrown.name : thrown.message
  if (thrown.cause === undefined) return own
  const cause = describeError(thrown.cause)
  return own.includes(cause) ? own : `${own}: ${cause}`
}
