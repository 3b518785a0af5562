/** The gossip suite: membership and registry of whole clusters. */
import { gossipMutants } from '../mutations/gossip.ts'
import type { Suite } from '../suite.ts'
import { runGossipSeed } from './run-seed.ts'

export const gossipSuite: Suite = {
  name: 'gossip',
  description: 'membership and registry: who is there, and what does each say of itself',
  runSeed: runGossipSeed,
  largeNodes: 100,
  mutants: gossipMutants,
}
