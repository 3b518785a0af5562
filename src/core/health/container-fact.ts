/**
 * What an engine says about one container, in our words. Engines translate into this and decide nothing;
 * whether it means healthy is decided in observe.ts.
 */
import type { Endpoint, NetworkAttachment } from '../registry/index.ts'

export interface ContainerFact {
  /** Whole id; also the key under which the registry knows the instance. */
  readonly id: string
  /** Without Docker's leading slash. */
  readonly name: string
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  /** `none`: no check is defined, running is all that can be known. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly failingStreak: number
  /** Wall clock of the engine, absent when it never ran. */
  readonly startedAtWallMs?: number
  readonly exitCode?: number
  readonly endpoints: readonly Endpoint[]
  readonly networks: readonly NetworkAttachment[]
}
