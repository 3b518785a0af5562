/**
 * Errors as plain data: a copied error loses its class, its code and its hint, and those are what people are told.
 * Whatever was thrown on one side is described the same way on the other.
 */
import { ConstellationError } from '../../kernel/errors.ts'

export interface ErrorData {
  /** `world`: a ConstellationError, with a code. */
  readonly kind: 'world' | 'bug'
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
  readonly hint?: string
  readonly cause?: ErrorData
}

/** A chain of causes longer than this is a ring. */
const causesMax = 8

export function errorData(thrown: unknown, depth = 0): ErrorData {
  if (!(thrown instanceof Error)) return { kind: 'bug', name: 'Error', message: String(thrown) }
  const { name, message, stack, cause } = thrown
  const isWorld = thrown instanceof ConstellationError
  return {
    kind: isWorld ? 'world' : 'bug',
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...('code' in thrown && typeof thrown.code === 'string' ? { code: thrown.code } : {}),
    ...(isWorld && thrown.hint !== undefined ? { hint: thrown.hint } : {}),
    ...(cause === undefined || depth === causesMax ? {} : { cause: errorData(cause, depth + 1) }),
  }
}

export function errorOf(data: ErrorData): Error {
  const error = bareError(data)
  error.name = data.name
  if (data.stack !== undefined) error.stack = data.stack
  return error
}

function bareError({ kind, message, code, hint, cause }: ErrorData): Error {
  const why = cause === undefined ? {} : { cause: errorOf(cause) }
  if (kind === 'world' && code !== undefined)
    return new ConstellationError(code, message, { ...why, ...(hint === undefined ? {} : { hint }) })
  return Object.assign(new Error(message, why), code === undefined ? {} : { code })
}
