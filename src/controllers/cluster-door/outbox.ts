/**
 * What the cluster says unasked, gathered into reports. Changes and log lines go at the end of the turn in which they
 * happened, numbers at most once a second. While the other side has not taken the last report nothing is posted:
 * changes of the snapshot become one, numbers add up, lines and marks are bounded. So a side that stands still costs
 * nothing here, and catches up with one message.
 */
import { boundedQueue } from '../../kernel/bounded-queue.ts'
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { MetricsSink } from '../../ports/metrics.ts'
import type { ClusterHandle } from '../cluster-handle.ts'
import type { Marks } from '../journal.ts'
import { gatheredLines } from './gathered-lines.ts'
import { gatheredMetrics } from './gathered-metrics.ts'
import type { LogLevel, MarkData, Report } from './messages.ts'
import { changeBetween, noSnapshot } from './snapshot-change.ts'

export interface Outbox {
  readonly log: Log
  readonly metrics: MetricsSink
  readonly journal: Pick<Marks, 'mark'>
  /** From now on its snapshots and figures are told, too. */
  open(cluster: Pick<ClusterHandle, 'snapshot' | 'stats' | 'onChange'>): void
  /** Reports now, unless the last report is still on its way. */
  flush(): void
  /** The other side has taken the last report. */
  taken(): void
  /** The last words, whether the report before was taken or not. Nothing is posted after. */
  close(): void
}

export interface OutboxOptions {
  readonly clock: Clock
  readonly logLevel: LogLevel
  readonly post: (report: Report) => void
}

const numbersEveryMs: Millis = 1_000
/** Those marked last are the ones somebody may ask for. */
export const marksMax = 1_000

export function createOutbox({ clock, logLevel, post }: OutboxOptions): Outbox {
  const lines = gatheredLines({ level: logLevel, now: () => clock.now(), onLine: soon })
  const metrics = gatheredMetrics(later)
  const marks = boundedQueue<MarkData>(marksMax, 'dropOldest')
  let cluster: Pick<ClusterHandle, 'snapshot' | 'stats'> | undefined
  let told = noSnapshot
  let isOnItsWay = false
  let isUrgent = false
  let isClosed = false
  let isScheduled = false
  let disarm: (() => void) | undefined

  /** At the end of this turn. */
  function soon(): void {
    isUrgent = true
    if (isScheduled) return
    isScheduled = true
    queueMicrotask(() => {
      isScheduled = false
      flush()
    })
  }

  function later(): void {
    if (isClosed) return
    disarm ??= clock.at(clock.now() + numbersEveryMs, () => {
      disarm = undefined
      isUrgent = true
      flush()
    })
  }

  function flush(): void {
    if (!isOnItsWay && !isClosed) send()
  }

  function send(): void {
    isUrgent = false
    const report = gather()
    if (report === undefined) return
    isOnItsWay = true
    post(report)
  }

  function gather(): Report | undefined {
    const next = cluster?.snapshot() ?? told
    const snapshot = changeBetween(told, next)
    told = next
    const report: Report = {
      ...(cluster === undefined ? {} : { stats: cluster.stats() }),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...metrics.take(),
      ...lines.take(),
      marks: takeMarks(),
    }
    const { counts, gauges, linesDropped } = report
    const said = counts.length + gauges.length + report.lines.length + linesDropped + report.marks.length
    return snapshot === undefined && said === 0 ? undefined : report
  }

  function takeMarks(): readonly MarkData[] {
    const taken: MarkData[] = []
    for (let mark = marks.shift(); mark !== undefined; mark = marks.shift()) taken.push(mark)
    return taken
  }

  return {
    log: lines.log,
    metrics,
    journal: {
      mark(key, hop, atMs, detail) {
        marks.push({ key, hop, atMs, detail })
        later()
      },
    },
    open(opened) {
      cluster = opened
      opened.onChange(soon)
    },
    flush,
    taken() {
      isOnItsWay = false
      if (isUrgent) flush()
    },
    close() {
      if (isClosed) return
      isClosed = true
      disarm?.()
      send()
    },
  }
}
