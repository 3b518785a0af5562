/**
 * One decoder under fire. `samples` are honest inputs, from which hostile ones are made; `decode` may answer whatever it
 * likes but must not throw: an exception is a finding, whatever its type.
 */
import type { Prng } from '../src/kernel/prng.ts'

export interface FuzzTarget {
  readonly name: string
  readonly samples: readonly Uint8Array[]
  /** `prng` is for choices of the caller, such as where a stream is cut. */
  decode(bytes: Uint8Array, prng: Prng): void
}
