/** What can be wrong with a Traefik document, and where. */

/**
 * Whole document refused by Traefik's decoder: `not-a-map`, `syntax`, `unknown-field`, `empty-object`, `wrong-type`.
 * Accepted, and a part of it in error: the others.
 */
export type ProblemReason =
  | 'not-a-map'
  | 'syntax'
  | 'unknown-field'
  | 'empty-object'
  | 'wrong-type'
  | 'bad-name'
  | 'bad-rule'
  | 'bad-address'
  | 'bad-kind'
  | 'missing-reference'
  | 'reserved-name'

export interface DocumentProblem {
  /** `http.routers.web.service`; empty for the document itself. */
  readonly path: string
  readonly reason: ProblemReason
  readonly detail: string
}
