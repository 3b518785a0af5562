/**
 * A cluster in one process without gossip: what a node publishes, every other has at once. Who is alive, suspect or dead
 * is said by the test. Keeps the contract of ClusterHandle: equal bodies are ignored, listeners hear of many changes
 * once, after the code that made them has finished.
 */
import type { ClusterHandle, ClusterSnapshot, Publication } from '../controllers/cluster-handle.ts'
import { noStats } from '../core/membership/index.ts'
import type { Member, MemberStatus } from '../core/membership/index.ts'
import { encodeProfile } from '../core/registry/index.ts'
import type { RecordKey, Section, SectionRecord } from '../core/registry/index.ts'
import type { NodeName } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import { aMember, aProfile } from './builders.ts'

export interface FakeCluster {
  /** Adds a member that is alive and opens its door. */
  join(name: NodeName, over?: Partial<Member>): ClusterHandle
  /** For everybody; a node is never told this of itself. */
  setStatus(name: NodeName, status: MemberStatus): void
  /** A section as it arrives from elsewhere. */
  receive(section: Section): void
  forget(name: NodeName): void
  setSynced(synced: boolean): void
  /** True at first. */
  setExpectsPeers(expectsPeers: boolean): void
  readonly publications: number
}

export function fakeCluster(clock: Clock): FakeCluster {
  const members = new Map<NodeName, Member>()
  const sections = new Map<NodeName, Section>()
  const listeners = new Set<() => void>()
  let synced = true
  let expectsPeers = true
  let publications = 0
  let announced = false

  function changed(): void {
    if (announced) return
    announced = true
    queueMicrotask(() => {
      announced = false
      for (const listener of listeners) listener()
    })
  }

  function change(name: NodeName, over: Partial<Member>): void {
    members.set(name, { ...(members.get(name) ?? aMember({ name })), ...over })
    changed()
  }

  function publish(owner: NodeName, changes: readonly Publication[]): ReadonlyMap<RecordKey, number> {
    const before = sections.get(owner)
    const records = new Map<RecordKey, SectionRecord>(before?.records)
    let revision = before?.version.revision ?? 0
    for (const { key, body } of changes) {
      if (JSON.stringify(records.get(key)?.body) === JSON.stringify(body)) continue
      records.set(key, { key, version: { epoch: 1, revision: ++revision }, body })
      publications++
    }
    if (revision !== before?.version.revision) {
      sections.set(owner, { owner, version: { epoch: 1, revision }, complete: before?.complete ?? false, records })
      changed()
    }
    return new Map(changes.map(({ key }) => [key, records.get(key)?.version.revision ?? revision]))
  }

  function snapshotFor(self: NodeName): ClusterSnapshot {
    const seen = [...members].map(([name, member]) =>
      name === self && member.status !== 'left' ? { ...member, status: 'alive' as const } : member,
    )
    return { members: seen, sections: new Map(sections), synced, expectsPeers }
  }

  function handleOf(self: NodeName): ClusterHandle {
    return {
      start: () => Promise.resolve(),
      publish: changes => Promise.resolve(publish(self, changes)),
      markComplete() {
        const section = sections.get(self)
        const version = section?.version ?? { epoch: 1, revision: 0 }
        sections.set(self, { owner: self, version, records: section?.records ?? new Map(), complete: true })
        changed()
      },
      setProfile: profile => change(self, { meta: encodeProfile(profile) }),
      snapshot: () => snapshotFor(self),
      onChange(listener) {
        const heard = (): void => listener(snapshotFor(self))
        listeners.add(heard)
        return () => void listeners.delete(heard)
      },
      stats: () => noStats,
      keys() {
        const reply = { fingerprints: [], problem: 'gossip is in clear here' }
        return Promise.resolve({ nodes: [...members.keys()].map(node => ({ kind: 'answered', node, reply })) })
      },
      leave() {
        change(self, { status: 'left', statusSince: clock.now() })
        return Promise.resolve()
      },
      stop: () => Promise.resolve(),
    }
  }

  return {
    join(name, over = {}) {
      change(name, { meta: encodeProfile(aProfile()), statusSince: clock.now(), ...over })
      return handleOf(name)
    },
    setStatus: (name, status) => change(name, { status, statusSince: clock.now() }),
    receive(section) {
      sections.set(section.owner, section)
      changed()
    },
    forget(name) {
      members.delete(name)
      sections.delete(name)
      changed()
    },
    setSynced(value) {
      synced = value
      changed()
    },
    setExpectsPeers(value) {
      expectsPeers = value
      changed()
    },
    get publications() {
      return publications
    },
  }
}
