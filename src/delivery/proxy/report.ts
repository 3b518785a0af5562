/**
 * What the proxy tells people: counters, one debug line per attempt under the key of the instance's walk, and a warning
 * when nobody could answer, not more than one per service and ten seconds.
 */
import type { Failure, Tried } from '../../core/proxy/index.ts'
import { walkKey } from '../../core/registry/index.ts'
import type { Pool, PoolMember } from '../../core/routing/index.ts'
import { formatAddress, type Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'

/** `status`: its status made us turn away. */
export type AttemptOutcome = Failure | 'delivered' | 'status'

/** Why the proxy answered a request itself without asking anybody. */
export type Refusal = 'malformed' | 'method' | 'loop' | 'noSuchHost' | 'noInstance' | 'bodyTimeout' | 'upgrade'

/** What a client that went away before its answer is counted as; never sent. nginx made it customary. */
export const clientGoneStatus = 499

const warnEveryMs = 10_000

export interface AttemptReport {
  readonly pool: Pool
  readonly member: PoolMember
  readonly outcome: AttemptOutcome
  readonly tookMs: Millis
  readonly cause?: Error | undefined
}

/** Numbers since the start, for the status page. */
export interface ProxyStats {
  readonly requestsAnswered: number
  readonly attempts: number
  readonly failOvers: number
  readonly gaveUp: number
  readonly refused: number
}

export interface ProxyReport {
  answered(pool: Pool, status: number): void
  attempted(report: AttemptReport): void
  failedOver(reason: AttemptOutcome): void
  gaveUp(pool: Pool, status: number, tried: readonly Tried[]): void
  refused(reason: Refusal): void
  stats(): ProxyStats
}

export function createProxyReport(clock: Clock, log: Log, metrics: Metrics): ProxyReport {
  const stats = { requestsAnswered: 0, attempts: 0, failOvers: 0, gaveUp: 0, refused: 0 }
  /** By service: when it was last warned about and how many warnings were kept back since. */
  const warned = new Map<string, { at: Millis; suppressed: number }>()

  return {
    stats: () => ({ ...stats }),
    answered(pool, status) {
      stats.requestsAnswered++
      metrics.count('constellation_proxy_requests_total', { service: pool.service, code: String(status) })
    },
    attempted({ pool, member, outcome, tookMs, cause }) {
      stats.attempts++
      metrics.count('constellation_proxy_attempts_total', { service: pool.service, node: member.node, outcome })
      log.debug('proxy attempt', {
        key: keyOf(pool, member),
        address: formatAddress(member.address),
        outcome,
        tookMs,
        error: cause,
      })
    },
    failedOver(reason) {
      stats.failOvers++
      metrics.count('constellation_proxy_failovers_total', { reason })
    },
    refused(reason) {
      stats.refused++
      metrics.count('constellation_proxy_refused_total', { reason })
    },
    gaveUp(pool, status, tried) {
      stats.gaveUp++
      const last = warned.get(pool.service)
      const now = clock.now()
      if (last !== undefined && now - last.at < warnEveryMs) {
        last.suppressed++
        return
      }
      warned.set(pool.service, { at: now, suppressed: 0 })
      const member = tried.at(-1)?.member
      log.warn('proxy found no instance that answers', {
        key: member === undefined ? pool.service : keyOf(pool, member),
        status,
        tried: tried.map(({ member, what }) => `${member.node} ${formatAddress(member.address)} ${what}`),
        ...(last !== undefined && last.suppressed > 0 ? { suppressed: last.suppressed } : {}),
      })
    },
  }
}

function keyOf(pool: Pool, member: PoolMember): string {
  return walkKey(pool.service, member.node, member.instance.revision)
}
