/**
 * Gossip rounds: what is queued goes to a few members at random. The newly dead are among them, so that one that was only
 * slow hears of it; the left are not. A round that carries news of the application goes to the living alone.
 */
import { isListed } from './departed.ts'
import { pickAnswering, pickPeers, strangersShare } from './peers.ts'
import { sendNews } from './send.ts'
import type { KnownMember, State } from './state.ts'

export function runGossip(state: State): void {
  if (state.due.gossip > state.now) return
  const { gossipIntervalMs, gossipFanOut } = state.config
  if (state.news.length === 0 && state.userNews.length === 0) return
  state.due.gossip = state.now + gossipIntervalMs
  // In a cut, half the places of a round could go to members that are not there.
  const fits = (member: KnownMember): boolean =>
    member !== state.self &&
    (state.userNews.length > 0 ? member.status === 'alive' : member.status !== 'left' && isListed(state, member))
  // Where mere names are many, one of each round is somebody who is there for sure: news go on whatever is listed.
  const strangers = state.roster.length - state.answering
  const sure = strangers > strangersShare(state) ? pickAnswering(state, 1, fits) : []
  const others = pickPeers(
    state.roster,
    gossipFanOut - sure.length,
    state.prng,
    peer => !sure.includes(peer) && fits(peer),
  )
  for (const member of [...sure, ...others]) sendNews(state, member)
}
