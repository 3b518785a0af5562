/**
 * An assertion that stays on in production. When it fails the bug is ours and the state can no longer be trusted:
 * the agent logs it and exits, the service manager starts it anew, containers are not touched.
 */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}

export function invariant(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new InvariantViolation(`invariant broken: ${claim}`)
}

/** Closes a `switch` over a union: a new case is a compile error here, a foreign value at run time is a bug. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`invariant broken: unexpected case ${JSON.stringify(value)}`)
}
