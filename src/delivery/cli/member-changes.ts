/** What has become of the members between two looks at them. */
import type { z } from 'zod'
import type { Millis } from '../../kernel/units.ts'
import type { gossipMembers as gossipMembersSchema } from '../rest/schema.ts'

export type Members = z.output<typeof gossipMembersSchema>['members']
export type Member = Members[number]

export interface MemberChange {
  /** By our wall clock, when we saw it. */
  readonly atMs: Millis
  readonly member: string
  readonly address: string
  /** Absent: it was not there before. */
  readonly from?: Member['status']
  readonly to: Member['status'] | 'forgotten'
}

/** The first look tells of everybody, so that a reader of lines knows where they begin. */
export function changesBetween(before: Members, after: Members, atMs: Millis): readonly MemberChange[] {
  const known = new Map(before.map(member => [member.name, member]))
  const changes: MemberChange[] = []
  for (const { name, address, status } of after) {
    const from = known.get(name)?.status
    known.delete(name)
    if (from !== status)
      changes.push({ atMs, member: name, address, ...(from === undefined ? {} : { from }), to: status })
  }
  for (const { name, address, status } of known.values())
    changes.push({ atMs, member: name, address, from: status, to: 'forgotten' })
  return changes
}
