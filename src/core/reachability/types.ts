/** The words of the reachability machine: whom it is told to watch, what it asks for. Pure: time arrives inside inputs. */
import type { Address, Millis, NodeName } from '../../kernel/units.ts'
import type { ProbeVerdict, Reachability } from '../registry/index.ts'

/** A node whose agent does not answer, and where it can be asked. */
export interface Target {
  readonly node: NodeName
  /** Mesh address and gossip port. */
  readonly agent: Address
  /** By container id: instances that other nodes reach without the agent's proxy. */
  readonly instances: ReadonlyMap<string, Address>
}

export type ProbeToken = number

export type Input =
  /** All targets there are now; who is not among them is forgotten. */
  | { readonly kind: 'targetsChanged'; readonly now: Millis; readonly targets: readonly Target[] }
  | {
      readonly kind: 'probeFinished'
      readonly now: Millis
      readonly token: ProbeToken
      readonly verdict: ProbeVerdict
    }
  | { readonly kind: 'tick'; readonly now: Millis }

export type Output =
  | {
      readonly kind: 'probe'
      readonly address: Address
      readonly token: ProbeToken
      readonly timeoutMs: Millis
    }
  | { readonly kind: 'verdictsChanged' }

export type Verdicts = ReadonlyMap<NodeName, Reachability>

/** Owns its state; `step` answers what is to be done, in order. */
export interface ReachabilityMachine {
  step(input: Input): readonly Output[]
  nextDeadline(): Millis | undefined
  /** What is known now. Values that did not change are the same objects as before. */
  verdicts(): Verdicts
}
