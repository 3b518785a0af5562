/** Why a socket could not be bound, in words that help. */
import { ConstellationError } from '../../kernel/errors.ts'
import { formatAddress } from '../../kernel/units.ts'
import type { Address } from '../../kernel/units.ts'

export function listenError(protocol: 'UDP' | 'TCP', bind: Address, cause: unknown): ConstellationError {
  const where = `${protocol} ${formatAddress(bind)}`
  const code = errorCode(cause)
  if (code === 'EADDRINUSE')
    return new ConstellationError('ADDRESS_IN_USE', `cannot listen on ${where}: the port is taken`, {
      cause,
      hint: `see who holds it (ss -lntup 'sport = :${bind.port}'), or choose another port in the configuration`,
    })
  const hint =
    code === 'EACCES'
      ? 'ports below 1024 need a privilege; choose a higher one'
      : 'the address must belong to this node; is the mesh interface up?'
  return new ConstellationError('ADDRESS_UNAVAILABLE', `cannot listen on ${where}`, { cause, hint })
}

export function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
}
