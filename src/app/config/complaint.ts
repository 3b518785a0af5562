/** Where a value came from, and what is said when it cannot be used. All complaints are collected; none stops the search. */
import { ConstellationError } from '../../kernel/errors.ts'
import { unreachable } from '../../kernel/invariant.ts'

export type Origin =
  /** `rule` says how a default that depends on the node was found. */
  | { readonly kind: 'default'; readonly rule?: string }
  /** `where` is `file:line:column`, or the file alone when it is a program. */
  | { readonly kind: 'file'; readonly where: string }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string }

export interface Complaint {
  readonly where: string
  readonly what: string
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigInvalid extends ConstellationError {
  readonly complaints: readonly Complaint[]

  constructor(complaints: readonly Complaint[]) {
    const lines = complaints.map(({ where, what }) => `  ${where}: ${what}`)
    const count = complaints.length === 1 ? 'one complaint' : `${complaints.length} complaints`
    super('CONFIG_INVALID', `the configuration cannot be used, ${count}:\n${lines.join('\n')}`, {
      hint: 'nothing was started; correct what is named and try again',
    })
    this.complaints = complaints
  }
}

export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return origin.rule === undefined ? 'default' : `default: ${origin.rule}`
    case 'file':
      return origin.where
    case 'environment':
      return `environment ${origin.name}`
    case 'flag':
      return `flag ${origin.name}`
    default:
      return unreachable(origin)
  }
}
