/**
 * Gossip rounds: what is queued goes to a few members at random. The newly dead are among them, so that one that was only
 * slow hears of it; the left are not.
 */
import { isListed } from './departed.ts'
import { pickPeers } from './peers.ts'
import { sendNews } from './send.ts'
import { protocolOf, wakeBy } from './state.ts'
import type { KnownMember, State } from './state.ts'

export function runGossip(state: State): void {
  if (state.due.gossip > state.now) return
  const { gossipIntervalMs, gossipFanOut } = state.config
  state.due.gossip = state.now + gossipIntervalMs
  wakeBy(state, state.due.gossip)
  if (state.news.length === 0 && state.userNews.length === 0) return
  const fits = (member: KnownMember): boolean =>
    member !== state.self && member.status !== 'left' && isListed(state, member)
  for (const member of pickPeers(state.roster, gossipFanOut, state.prng, fits))
    if (!sendNews(state, member.address, protocolOf(member))) return
}
