/**
 * Who owns a rule. Two services may share a host when their rules differ (a path, an entry point); the same rule twice
 * would leave the choice to Traefik's tie-break, so the first to ask keeps it. Callers ask in order of service name.
 */
import type { ServiceId } from '../../kernel/units.ts'

export interface Claim {
  readonly owner: ServiceId
  /** Undefined: every default entry point. */
  readonly entryPoints: readonly string[] | undefined
  /** Name of the pool that answers. */
  readonly pool: string
}

export interface Claims {
  /** Undefined when the claim was free and is taken now; else the claim that stands in its way. */
  take(canonicalRule: string, claim: Claim): Claim | undefined
}

export function createClaims(): Claims {
  const taken = new Map<string, Claim[]>()
  return {
    take(canonicalRule, claim) {
      const others = taken.get(canonicalRule)
      if (others === undefined) {
        taken.set(canonicalRule, [claim])
        return undefined
      }
      const rival = others.find(other => overlap(other.entryPoints, claim.entryPoints))
      if (rival === undefined) others.push(claim)
      return rival
    },
  }
}

function overlap(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === undefined || b === undefined || a.some(entryPoint => b.includes(entryPoint))
}
