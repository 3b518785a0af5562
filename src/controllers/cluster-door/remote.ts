/**
 * The agent's side of the door: a ClusterHandle whose cluster is elsewhere. Keeps a mirror of the last snapshot and hands
 * lines, numbers and marks on to where they belong.
 */
import { invariant, unreachable } from '../../kernel/invariant.ts'
import type { Millis } from '../../kernel/units.ts'
import { noStats } from '../../core/membership/index.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { MetricsSink } from '../../ports/metrics.ts'
import type { ThreadPort } from '../../ports/thread-port.ts'
import type { ClusterHandle, ClusterSnapshot } from '../cluster-handle.ts'
import { noMarks } from '../journal.ts'
import type { Marks } from '../journal.ts'
import { errorOf } from './error-data.ts'
import type { Answer, FromCluster, LineData, Question, Report, ToCluster } from './messages.ts'
import { applyChange, noSnapshot } from './snapshot-change.ts'

export interface RemotePorts {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly metrics: MetricsSink
  /** Default: nowhere. */
  readonly journal?: Pick<Marks, 'mark'>
}

/** A line that waited longer than this says so: the time it is written at is not the time it speaks of. */
const lateMs: Millis = 500

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

export function remoteCluster(port: ThreadPort<ToCluster, FromCluster>, ports: RemotePorts): ClusterHandle {
  const { clock, log, metrics, journal = noMarks } = ports
  const waiting = new Map<number, Waiting>()
  const listeners = new Set<(snapshot: ClusterSnapshot) => void>()
  let calls = 0
  let isStopped = false
  let snapshot = noSnapshot
  let stats = noStats

  function ask(question: Question): Promise<Answer> {
    // Nobody is there to hear it any more.
    if (isStopped) return Promise.resolve({ kind: 'done' })
    const call = ++calls
    return new Promise((resolve, reject) => {
      waiting.set(call, { resolve, reject })
      port.post({ kind: 'asked', call, question })
    })
  }

  function tell(message: ToCluster): void {
    if (!isStopped) port.post(message)
  }

  function settle(call: number): Waiting {
    const known = waiting.get(call)
    invariant(known !== undefined, `call ${call} is answered once`)
    waiting.delete(call)
    return known
  }

  function take(report: Report): void {
    stats = report.stats ?? stats
    for (const { name, labels, value } of report.counts) metrics.count(name, labels, value)
    for (const { name, labels, value } of report.gauges) metrics.gauge(name, value, labels)
    for (const { key, hop, atMs, detail } of report.marks) journal.mark(key, hop, atMs, detail)
    for (const line of report.lines) write(line)
    if (report.linesDropped > 0)
      log.warn('the cluster had more to say than could wait; later lines are lost', { lines: report.linesDropped })
    if (report.snapshot !== undefined) {
      snapshot = applyChange(snapshot, report.snapshot)
      for (const listener of listeners) listener(snapshot)
    }
    tell({ kind: 'reportTaken' })
  }

  function write({ level, message, atMs, fields, errors }: LineData): void {
    const waitedMs = Math.round(clock.now() - atMs)
    const revived = Object.entries(errors).map(([name, data]) => [name, errorOf(data)] as const)
    log[level](message, {
      ...fields,
      ...Object.fromEntries(revived),
      ...(waitedMs < lateMs ? {} : { waitedMs }),
    })
  }

  port.listen(message => {
    // Whoever waited was answered by the stop.
    if (isStopped) return
    switch (message.kind) {
      case 'answered':
        return settle(message.call).resolve(message.answer)
      case 'failed':
        return settle(message.call).reject(errorOf(message.error))
      case 'reported':
        return take(message.report)
      default:
        return unreachable(message)
    }
  })

  return {
    async start() {
      await ask({ kind: 'start' })
    },
    async publish(changes) {
      const answer = await ask({ kind: 'publish', changes })
      return answer.kind === 'published' ? answer.revisions : new Map()
    },
    async keys(operation, timeoutMs) {
      const answer = await ask({ kind: 'keys', operation, timeoutMs })
      return answer.kind === 'keys' ? answer.outcome : { nodes: [] }
    },
    markComplete: () => tell({ kind: 'completed' }),
    setProfile: profile => tell({ kind: 'profileChanged', profile }),
    snapshot: () => snapshot,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stats: () => stats,
    async leave(timeoutMs) {
      await ask({ kind: 'leave', timeoutMs })
    },
    async stop() {
      listeners.clear()
      await ask({ kind: 'stop' })
      isStopped = true
      for (const question of waiting.values()) question.resolve({ kind: 'done' })
      waiting.clear()
    },
  }
}
