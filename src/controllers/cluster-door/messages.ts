/**
 * What passes between the cluster in its thread and the rest of the agent. All of it is plain data that survives being
 * copied; both sides are compiled from this one file, so nothing is checked again on arrival.
 *
 * Questions are answered one by one. What the cluster says unasked is a report, and there is never more than one that was
 * not taken yet: what happens meanwhile is gathered for the next.
 */
import type { KeyOperation } from '../../core/cluster/index.ts'
import type { Member, MembershipStats } from '../../core/membership/index.ts'
import type { NodeProfile, RecordKey, SectionRecord, Version } from '../../core/registry/index.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import type { MetricLabels, MetricName } from '../../ports/metrics.ts'
import type { Publication } from '../cluster-handle.ts'
import type { KeyOutcome } from '../cluster-keys.ts'
import type { HopName } from '../journal.ts'
import type { ErrorData } from './error-data.ts'

export type ToCluster =
  /** `call` comes back with the answer. */
  | { readonly kind: 'asked'; readonly call: number; readonly question: Question }
  | { readonly kind: 'completed' }
  | { readonly kind: 'profileChanged'; readonly profile: NodeProfile }
  /** The last report was taken; the next may come. */
  | { readonly kind: 'reportTaken' }

export type FromCluster =
  | { readonly kind: 'answered'; readonly call: number; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly call: number; readonly error: ErrorData }
  | { readonly kind: 'reported'; readonly report: Report }

export type Question =
  | { readonly kind: 'start' }
  | { readonly kind: 'publish'; readonly changes: readonly Publication[] }
  | { readonly kind: 'keys'; readonly operation: KeyOperation; readonly timeoutMs: Millis }
  | { readonly kind: 'leave'; readonly timeoutMs: Millis }
  | { readonly kind: 'stop' }

export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'published'; readonly revisions: ReadonlyMap<RecordKey, number> }
  | { readonly kind: 'keys'; readonly outcome: KeyOutcome }

/** Everything since the report before. */
export interface Report {
  /** Absent as long as there is no cluster. */
  readonly stats?: MembershipStats
  /** Absent: no change. */
  readonly snapshot?: SnapshotChange
  readonly counts: readonly MetricData[]
  readonly gauges: readonly MetricData[]
  readonly marks: readonly MarkData[]
  readonly lines: readonly LineData[]
  /** Lines for which there was no room. */
  readonly linesDropped: number
}

export interface SnapshotChange {
  /** New or changed. */
  readonly members: readonly Member[]
  readonly membersGone: readonly string[]
  readonly sections: readonly SectionChange[]
  readonly sectionsGone: readonly NodeName[]
  readonly synced: boolean
  readonly expectsPeers: boolean
}

/** A section, without those of its records that were told before. */
export interface SectionChange {
  readonly owner: NodeName
  readonly version: Version
  readonly complete: boolean
  readonly records: readonly SectionRecord[]
  readonly recordsGone: readonly RecordKey[]
}

/** A counter's increase, or a gauge's last value. */
export interface MetricData {
  readonly name: MetricName
  readonly labels: MetricLabels
  readonly value: number
}

/** Times are those of the one clock that both threads read. */
export interface MarkData {
  readonly key: string
  readonly hop: HopName
  readonly atMs: Millis
  readonly detail: string
}

export interface LineData {
  readonly level: LogLevel
  readonly message: string
  readonly atMs: Millis
  readonly fields: Readonly<Record<string, unknown>>
  /** Fields whose value was an error. */
  readonly errors: Readonly<Record<string, ErrorData>>
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
