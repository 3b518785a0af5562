/** The words of the health machine: what it is told, what it wants done. Pure: time arrives inside inputs. */
import type { Millis, ServiceId } from '../../kernel/units.ts'
import type { Instance, InstanceState, RecordBody, RecordKey } from '../registry/index.ts'
import type { ContainerFact } from './container-fact.ts'

/** `wallNow` is for people and lands in `sinceWallMs`; nothing is decided by it. */
interface Moment {
  readonly now: Millis
  readonly wallNow: Millis
}

export type RestartOutcome = 'done' | 'failed' | 'gone'

export type Input =
  | ({ readonly kind: 'containersListed'; readonly containers: readonly ContainerFact[] } & Moment)
  | ({ readonly kind: 'containerChanged'; readonly container: ContainerFact } & Moment)
  | { readonly kind: 'containerRemoved'; readonly now: Millis; readonly id: string }
  | { readonly kind: 'engineConnected'; readonly now: Millis; readonly version: string }
  | { readonly kind: 'engineDisconnected'; readonly now: Millis; readonly reason: string }
  | {
      readonly kind: 'restartFinished'
      readonly now: Millis
      readonly id: string
      /** gone: the container vanished meanwhile, which is nobody's failure; its removal is told apart from this. */
      readonly outcome: RestartOutcome
      readonly reason?: string
    }
  | { readonly kind: 'tick'; readonly now: Millis }

export interface Change {
  readonly key: RecordKey
  readonly body: RecordBody
  /** What was told before; absent the first time. For log lines. */
  readonly was?: Instance
}

export type Output =
  | { readonly kind: 'publish'; readonly changes: readonly Change[] }
  /** The engine has been listed for the first time: what was not published does not exist. Said once. */
  | { readonly kind: 'sectionComplete' }
  | { readonly kind: 'restartContainer'; readonly id: string; readonly service: ServiceId }
  | { readonly kind: 'restartGivenUp'; readonly id: string; readonly service: ServiceId; readonly restarts: number }
  | {
      readonly kind: 'report'
      readonly level: 'debug' | 'info' | 'warn'
      readonly message: string
      readonly fields: Readonly<Record<string, string | number>>
    }

export interface HealthOptions {
  /** `labelled`: only containers that ask for it are routed. `all`: every one that does not decline. */
  readonly expose: 'labelled' | 'all'
}

/** Owns its state; `step` answers what is to be done, in order. */
export interface Health {
  step(input: Input): readonly Output[]
  nextDeadline(): Millis | undefined
  /** Instances told to the cluster, by state. */
  census(): Readonly<Record<InstanceState, number>>
}
