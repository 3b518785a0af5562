/**
 * In which order the members of a pool are asked: our own node first, then other nodes by their priority, suspected
 * nodes last. Equal ones take turns. Local-only requests (a peer's proxy sent them) never leave this node again, which is
 * what makes proxies unable to send a request in circles.
 */
import { byText } from '../../kernel/units.ts'
import type { Pool, PoolMember } from '../routing/index.ts'

export interface Selection {
  /** Rises by one with every request to this pool; decides whose turn it is among equals. */
  readonly turn: number
  /** Only members on this node may be asked. */
  readonly localOnly: boolean
}

export function orderCandidates(pool: Pool, selection: Selection): readonly PoolMember[] {
  const eligible = selection.localOnly ? pool.members.filter(isHere) : pool.members
  if (eligible.length < 2) return eligible
  const ordered = [...eligible].sort(byPreference)
  return ordered.flatMap((member, index) => {
    // The first of each group of equals brings the whole group, rotated.
    const previous = ordered[index - 1]
    if (previous !== undefined && areEqual(previous, member)) return []
    const group = ordered.filter(other => areEqual(member, other))
    const first = selection.turn % group.length
    return [...group.slice(first), ...group.slice(0, first)]
  })
}

/** A local member reached through a proxy would be ourselves. */
function isHere(member: PoolMember): boolean {
  return member.local && member.via === 'instance'
}

function rank(member: PoolMember): number {
  if (member.traffic === 'lastResort') return 2
  return member.local ? 0 : 1
}

function areEqual(a: PoolMember, b: PoolMember): boolean {
  return rank(a) === rank(b) && a.priority === b.priority
}

function byPreference(a: PoolMember, b: PoolMember): number {
  return (
    rank(a) - rank(b) ||
    a.priority - b.priority ||
    byText(a.node, b.node) ||
    byText(a.instance.containerId, b.instance.containerId)
  )
}
