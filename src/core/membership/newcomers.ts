/**
 * Who may become known, and who is known to be there. Anybody who can reach us can invent names; a name becomes more than
 * that when its bearer has answered us: acknowledged a probe, or spoken with us over a connection from its own address.
 *
 * What bounds the harm of names that nobody answers for:
 * - number: others bring up `newNamesMin` at once and a dozen a second after that, until `membersMax`; what answers
 *   makes the budget larger, what does not never does. A refused name that is real comes with a push/pull of ours, or it
 *   comes itself: one name per ip gets in besides when its bearer connects to us from there.
 * - probing: a walk spends at most as many rounds on strangers as on the others (or `strangersPerWalkMin`), so a failure
 *   among the others is noticed at half speed at worst. Helpers, push/pulls and one peer of each gossip round are chosen
 *   among those who answered, and only their missing nacks count against our health.
 * - voices: a suspicion waits for those alone who have answered.
 * - formulas: suspicion and retransmissions grow with the logarithm of the listed members, threefold and fourfold at
 *   1,024. One that never answered is suspected when its turn comes, then dead, and half a minute later unlisted.
 * - queues: each admitted name is one piece of news; the bounded queue drops what was told most often.
 * - memory: when the list is full, departed strangers are forgotten before departed members that had once answered.
 * A bearer that answers under many names is no stranger: against that help keys and `allowedSources`, not counting.
 */
import type { Address } from '../../kernel/units.ts'
import { forgetLongestDeparted } from './departed.ts'
import { refuse, setAnswered } from './state.ts'
import type { State } from './state.ts'

/** Whether there is room for one more name; says so when there is not. `welcome`: it costs nothing of the budget. */
export function mayAdmit(state: State, name: string, from: Address, welcome: boolean): boolean {
  const { config, members, newNames, now } = state
  if (!welcome && !newNames.take(now, () => budgetOf(state)))
    refuse(state, from, 'tooManyNewNames', `${name} is one new name too many for now`)
  else if (members.size >= config.membersMax && !forgetLongestDeparted(state))
    refuse(state, from, 'overflow', `${name} would be one member too many`)
  else return true
  return false
}

function budgetOf({ config, answering }: State): number {
  return Math.max(config.newNamesMin, config.newNamesPerMember * answering)
}

/** Whether a name may come from its bearer: it is told over a connection from where it lives, and nobody else lives there. */
export function isBearer({ roster }: State, address: Address, from: Address): boolean {
  return address.ip === from.ip && !roster.some(member => member.address.ip === from.ip)
}

/** Somebody spoke with us from there. Where several members share the place, nobody can tell which of them it was. */
export function vouch(state: State, livesThere: (address: Address) => boolean): void {
  const [bearer, ...others] = state.roster.filter(member => member !== state.self && livesThere(member.address))
  if (bearer !== undefined && others.length === 0) setAnswered(state, bearer, true)
}
