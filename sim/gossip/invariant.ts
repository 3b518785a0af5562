/**
 * What must hold in every run of the gossip suite. An invariant watches: it is told what happens, looks around now and
 * then, and reports. It never changes anything, so that a run is the same with and without it.
 */
import type { Cause, SimAgent } from '../../src/testing/sim/cluster-node.ts'
import type { ClusterOutput } from '../../src/core/cluster/index.ts'
import type { Member } from '../../src/core/membership/index.ts'
import type { Section } from '../../src/core/registry/index.ts'
import type { NodeName } from '../../src/kernel/units.ts'
import type { World } from './world.ts'

export interface Watch {
  /** An agent has opened its sockets. */
  onUp?(agent: SimAgent): void
  onOutput?(agent: SimAgent, output: ClusterOutput, cause: Cause): void
  /** Before an agent is killed, with its last state to look at. */
  onEnd?(agent: SimAgent): void
  /** Several times a second, all agents that run, maybe paused. */
  onLook?(views: readonly View[]): void
  /** Once, when all is over. */
  onFinish?(views: readonly View[]): void
}

/** What one agent holds at this moment. */
export interface View {
  readonly agent: SimAgent
  readonly members: readonly Member[]
  readonly sections: ReadonlyMap<NodeName, Section>
}

export interface GossipInvariant {
  readonly name: string
  /** One sentence. */
  readonly claim: string
  watch(world: World, report: (node: string, details: string) => void): Watch
}
