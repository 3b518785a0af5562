/**
 * What the cluster says about members and records. Lines of one walk carry one key, so one grep tells its story. `node` is
 * who writes the line, on every line of an agent; others are a `member`, or the `owner` of records.
 */
import type { Member, MemberStatus, RefusalReason } from '../core/membership/index.ts'
import { walkKey } from '../core/registry/index.ts'
import type { Instance, RecordChange } from '../core/registry/index.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Address, Millis, NodeName } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

export interface ClusterLog {
  memberChanged(member: Member, previous: MemberStatus | undefined): void
  nameConflict(name: string, known: Address, other: Address): void
  recordsChanged(owner: NodeName, changes: readonly RecordChange[]): void
  gossipRefused(from: Address, reason: RefusalReason, detail: string): void
  /** Says it at most once a minute for each `subject`. */
  warnNowAndThen(subject: string, message: string, fields: Readonly<Record<string, unknown>>): void
}

const warnIntervalMs: Millis = 60_000
/** Names come from outside; more of them than this are not remembered. */
const subjectsMax = 1_000
/** More changes at once than anybody reads: a section that was met for the first time. */
const linesPerChangeMax = 20

/** Refusals that mean two nodes are configured differently: people look for them in the log, not in a metric. */
const disagreements: Readonly<Partial<Record<RefusalReason, string>>> = {
  badKey: 'gossip that none of our keys opens was refused; that node or this one lacks a key (constellation keys list)',
  plaintext: 'gossip in clear was refused; that node has no key (gossip.key)',
  encrypted: 'encrypted gossip was refused, for this node has no key (gossip.key)',
  labelled: 'gossip with a label was refused, for this node has none; gossip.label is one for the whole cluster',
  wrongLabel: 'gossip with another label, or none, was refused; gossip.label is one for the whole cluster',
}

export function createClusterLog(self: NodeName, clock: Clock, log: Log): ClusterLog {
  const warnedAt = new Map<string, Millis>()

  function warnNowAndThen(subject: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    const now = clock.now()
    if (now - (warnedAt.get(subject) ?? -Infinity) < warnIntervalMs) return
    if (warnedAt.size >= subjectsMax) warnedAt.clear()
    warnedAt.set(subject, now)
    log.warn(message, fields)
  }

  function recordChanged(owner: NodeName, { record, previous }: RecordChange, level: 'info' | 'debug'): void {
    const message = owner === self ? 'record published' : 'record received'
    const body = record?.body
    if (body?.kind === 'nodeFacts') {
      log.debug(message, { owner, revision: record?.version.revision })
      const { restartingForMs } = body.facts
      const announced = previous?.body.kind === 'nodeFacts' ? previous.body.facts.restartingForMs : undefined
      if (owner !== self && restartingForMs !== undefined && announced === undefined)
        log.info('member restarting', { member: owner, backWithinMs: restartingForMs })
      return
    }
    const before = instanceOf(previous)
    const instance = instanceOf(record) ?? before
    if (instance === undefined) return
    const revision = record?.version.revision ?? previous?.version.revision ?? 0
    log[level](message, {
      key: walkKey(instance.service, owner, revision),
      container: instance.containerName,
      state: body?.kind === 'instance' ? instance.state : 'removed',
      ...(before === undefined ? {} : { was: before.state }),
      ...(instance.reason === undefined ? {} : { reason: instance.reason }),
    })
  }

  return {
    warnNowAndThen,
    memberChanged({ name, address, incarnation, status }, previous) {
      if (name === self) return
      const fields = { member: name, address: formatAddress(address), incarnation }
      if (status === previous) log.debug('member updated', fields)
      else if (status === 'suspect') log.warn('member suspect', fields)
      else if (status === 'dead') log.warn('member dead', fields)
      else if (status === 'left') log.info('member left', fields)
      else log.info(previous === 'suspect' ? 'member alive again' : 'member joined', fields)
    },
    nameConflict: (name, known, other) =>
      warnNowAndThen(`conflict ${name}`, 'two nodes use one name; rename one of them', {
        member: name,
        known: formatAddress(known),
        other: formatAddress(other),
      }),
    gossipRefused(from, reason, detail) {
      const fields = { from: formatAddress(from), reason, detail }
      log.debug('gossip refused', fields)
      const disagreement = disagreements[reason]
      if (disagreement !== undefined) warnNowAndThen(`refused ${reason}`, disagreement, fields)
    },
    recordsChanged(owner, changes) {
      const isBulk = changes.length > linesPerChangeMax
      if (isBulk) log.info('many records received or published', { owner, records: changes.length })
      for (const change of changes) recordChanged(owner, change, isBulk ? 'debug' : 'info')
    },
  }
}

function instanceOf(record: RecordChange['record']): Instance | undefined {
  return record?.body.kind === 'instance' ? record.body.instance : undefined
}
