/**
 * Seeds that once found something, each with one sentence on what it found. They run for ever; a change of the simulator
 * may give a seed another run, which is then one more run of a seed.
 */
export interface KeptSeed {
  readonly seed: number
  readonly found: string
}

export const gossipSeeds: readonly KeptSeed[] = [
  {
    seed: 25,
    found: 'a record too large for gossip, made during a cut, is carried by push/pull alone and needs more than 60 s',
  },
  {
    seed: 35,
    found: 'the word that a node left may arrive after the node has started anew (the checker took it for old)',
  },
  { seed: 38, found: 'the same with two nodes that leave and return at once' },
  { seed: 59, found: 'what a member said is news again after it left and came back (the checker counted on)' },
  {
    seed: 150,
    found: 'a record too large for a packet, changed during a cut, did not reach everybody within a minute',
  },
  {
    seed: 343,
    found: 'at nine nodes four transmissions did not carry a departure to everybody; one took it for a failure',
  },
  { seed: 797, found: 'the same with another departure' },
  { seed: 791, found: 'two lives of a node counted to the same number; who held the old metadata kept it' },
]
