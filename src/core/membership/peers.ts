/**
 * Who is next: the shuffled walk that reaches every member once per round, and a few members at random.
 * Invariant: a member that joins lands at a random place of the walk, so that nobody can tell when it is probed first.
 */
import type { Prng } from '../../kernel/prng.ts'
import type { KnownMember, State } from './state.ts'

/** Up to `count` different members that fit, uniformly at random. */
export function pickPeers(
  roster: readonly KnownMember[],
  count: number,
  prng: Prng,
  fits: (member: KnownMember) => boolean,
): KnownMember[] {
  if (roster.length < 3 * count) return prng.shuffled(roster).filter(fits).slice(0, count)
  // In a large roster a few draws do; a copy of it for every gossip round would not pay.
  const picked: KnownMember[] = []
  for (let draws = 0; draws < 3 * roster.length && picked.length < count; draws++) {
    const member = roster[prng.below(roster.length)]
    if (member !== undefined && fits(member) && !picked.includes(member)) picked.push(member)
  }
  return picked
}

export function enlist(state: State, member: KnownMember): void {
  if (member.listed) return
  member.listed = true
  const place = state.prng.below(state.roster.length + 1)
  const displaced = state.roster[place]
  if (displaced === undefined) state.roster.push(member)
  else {
    state.roster[place] = member
    state.roster.push(displaced)
  }
}

/** Takes those that do not stay off the roster; the walk goes on where it was. */
export function sweepRoster(state: State, stays: (member: KnownMember) => boolean): void {
  let walked = 0
  const kept = state.roster.filter((member, index) => {
    member.listed = stays(member)
    if (member.listed && index < state.cursor) walked++
    return member.listed
  })
  state.roster = kept
  state.cursor = walked
}

/** The next member worth probing; undefined when there is none. Shuffles at the end of every walk. */
export function nextToProbe(state: State, fits: (member: KnownMember) => boolean): KnownMember | undefined {
  for (let looked = 0; looked <= state.roster.length; looked++) {
    if (state.cursor >= state.roster.length) {
      state.roster = state.prng.shuffled(state.roster)
      state.cursor = 0
    }
    const member = state.roster[state.cursor++]
    if (member !== undefined && fits(member)) return member
  }
  return undefined
}
