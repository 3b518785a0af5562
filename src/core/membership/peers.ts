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
  if (picked.length === count) return picked
  // Those that fit are rare.
  const rest = roster.filter(member => fits(member) && !picked.includes(member))
  return [...picked, ...prng.shuffled(rest).slice(0, count - picked.length)]
}

/** The same of the whole roster, with members that have answered us first: mere names can be many, and help nobody. */
export function pickAnswering(state: State, count: number, fits: (member: KnownMember) => boolean): KnownMember[] {
  const { roster, prng } = state
  const sure = pickPeers(roster, count, prng, member => member.answered && fits(member))
  if (sure.length === count) return sure
  return [...sure, ...pickPeers(roster, count - sure.length, prng, member => !member.answered && fits(member))]
}

export function enlist(state: State, member: KnownMember): void {
  if (member.listed) return
  member.listed = true
  if (member.answered) state.answering++
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
  let answering = 0
  const kept = state.roster.filter((member, index) => {
    member.listed = stays(member)
    if (member.listed && index < state.cursor) walked++
    if (member.listed && member.answered) answering++
    return member.listed
  })
  state.roster = kept
  state.answering = answering
  state.cursor = walked
}

/**
 * The next member worth probing; undefined when there is none. Shuffles at the end of every walk. Strangers beyond their
 * share of a walk wait for a later one. Two laps at most: the first may end with nothing but strangers left.
 */
export function nextToProbe(state: State, fits: (member: KnownMember) => boolean): KnownMember | undefined {
  for (let looked = 0; looked <= 2 * state.roster.length; looked++) {
    if (state.cursor >= state.roster.length) startWalk(state)
    const member = state.roster[state.cursor++]
    if (member === undefined || !fits(member)) continue
    if (member.answered) return member
    if (state.strangersLeft === 0) continue
    state.strangersLeft--
    return member
  }
  return undefined
}

function startWalk(state: State): void {
  state.roster = state.prng.shuffled(state.roster)
  state.cursor = 0
  state.strangersLeft = strangersShare(state)
}

/** As many as have answered us, or a few: more strangers than that are not what a cluster looks like for long. */
export function strangersShare({ answering, config }: State): number {
  return Math.max(config.strangersPerWalkMin, answering)
}
