/**
 * Marks where records leave and arrive: published, sent, received, relayed. Names of broadcasts are those of the registry,
 * `r:<owner>:<key>`; which walk one belongs to is remembered while its record is news.
 */
import { walkKey } from '../core/registry/index.ts'
import type { Instance, RecordChange } from '../core/registry/index.ts'
import type { Heard } from '../core/cluster/index.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Address, NodeName } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Marks } from './journal.ts'

export interface ClusterTrace {
  /** `heard` is absent for what we published ourselves. */
  recordsChanged(owner: NodeName, changes: readonly RecordChange[], heard: Heard | undefined): void
  newsSent(name: string, to: Address): void
}

/** News older than this many others have left long ago. */
const rememberedMax = 1_000

const ways: Readonly<Record<Heard['via'], string>> = {
  gossip: 'by gossip from',
  direct: 'over a stream from',
  pushPull: 'by push/pull with',
}

export function createClusterTrace(
  self: NodeName,
  clock: Pick<Clock, 'now'>,
  journal: Pick<Marks, 'mark'>,
): ClusterTrace {
  const walks = new Map<string, { readonly key: string; readonly hop: 'sent' | 'relayed' }>()

  function remember(name: string, key: string, isOurs: boolean): void {
    walks.delete(name)
    walks.set(name, { key, hop: isOurs ? 'sent' : 'relayed' })
    if (walks.size <= rememberedMax) return
    const [oldest] = walks.keys()
    if (oldest !== undefined) walks.delete(oldest)
  }

  return {
    recordsChanged(owner, changes, heard) {
      const hop = owner === self ? 'published' : 'received'
      const way = heard === undefined ? '' : ` ${ways[heard.via]} ${formatAddress(heard.from)}`
      for (const change of changes) {
        const { record, previous } = change
        const now = instanceOf(record)
        const instance = now ?? instanceOf(previous)
        const revision = (record ?? previous)?.version.revision
        if (instance === undefined || revision === undefined) continue
        const key = walkKey(instance.service, owner, revision)
        journal.mark(key, hop, clock.now(), `${now?.state ?? 'removed'}${way}`)
        remember(`r:${owner}:${change.key}`, key, owner === self)
      }
    },
    newsSent(name, to) {
      const walk = walks.get(name)
      if (walk === undefined) return
      walks.delete(name)
      journal.mark(walk.key, walk.hop, clock.now(), `first to ${formatAddress(to)}`)
    },
  }
}

function instanceOf(record: RecordChange['record']): Instance | undefined {
  return record?.body.kind === 'instance' ? record.body.instance : undefined
}
