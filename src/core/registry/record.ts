/**
 * What nodes tell each other about themselves. Every record has ONE author, the node it is about; that node alone raises
 * its revision, receivers keep the newest (epoch, revision), clocks play no part. Health and resources live here and never
 * in the consensus log.
 */
import type { Address, NodeName, Port, ServiceId } from '../../kernel/units.ts'

/** (boot epoch, counter) of the author: a restart raises the epoch, every change the revision. */
export interface Version {
  readonly epoch: number
  readonly revision: number
}

export function isNewer(a: Version, b: Version): boolean {
  return a.epoch !== b.epoch ? a.epoch > b.epoch : a.revision > b.revision
}

/**
 * - healthy: running and, where a check exists, passing it: receives traffic
 * - starting: running, its check has not spoken yet
 * - unhealthy: running, failing its check, or just recovered and held back by flap damping
 * - stopped: not running, paused or dead
 */
export type InstanceState = 'healthy' | 'unhealthy' | 'starting' | 'stopped'

/** One port of a container and every way it can be reached. */
export interface Endpoint {
  readonly protocol: 'tcp' | 'udp'
  readonly containerPort: Port
  /** Where the engine published it; hostIp `0.0.0.0` or `::` means every address of the node. */
  readonly hostIp?: string
  readonly hostPort?: Port
}

/** A container's address on one engine network; meaningful on its own node only. */
export interface NetworkAttachment {
  readonly network: string
  readonly ip: string
}

/** One router a container asks for in its `traefik.http.routers.*` labels, already checked. */
export interface RouterWish {
  readonly name: string
  readonly rule: string
  readonly entryPoints?: readonly string[]
  readonly priority?: number
  /** `name@provider` each. Must never get lost on the way: one of them may be what asks for a password. */
  readonly middlewares?: readonly string[]
}

/** What a container's labels ask of routing. Absent on a container that is observed only. */
export interface RoutingWish {
  /** First label of `<host>.<domain>`. */
  readonly host: string
  /** Container port that speaks HTTP; absent when it cannot be told, which is reported and not routed. */
  readonly port?: Port
  readonly scheme: 'http' | 'https'
  readonly routers: readonly RouterWish[]
  /** Network whose address a local Traefik should use (`traefik.docker.network`). */
  readonly network?: string
}

/** One container of a service on a node. */
export interface Instance {
  readonly service: ServiceId
  /** Engine's id of the container, whole. */
  readonly containerId: string
  readonly containerName: string
  readonly image: string
  readonly state: InstanceState
  /** Why it is in this state, in a few words, when that is not obvious. */
  readonly reason?: string
  /** Wall clock of the author, for people; never compared. */
  readonly sinceWallMs: number
  readonly consecutiveFailures: number
  readonly endpoints: readonly Endpoint[]
  readonly networks: readonly NetworkAttachment[]
  readonly routing?: RoutingWish
  /** What is wrong with its labels, one sentence each; shown by `services`, never fatal. */
  readonly complaints?: readonly string[]
  /** Labelled for restart, restarted in vain, left alone now. */
  readonly restartGivenUp?: boolean
}

/** Slow facts about a node, published at start and every 30 s when changed. */
export interface NodeFacts {
  readonly agentVersion: string
  readonly arch: string
  readonly os: string
  readonly cpuCount: number
  readonly memoryTotalBytes: number
  readonly memoryFreeBytes: number
  readonly diskTotalBytes: number
  readonly diskFreeBytes: number
  readonly engine: { readonly kind: string; readonly version: string; readonly connected: boolean }
  /** Set by SIGTERM: the agent comes back within this many ms; it has not left. */
  readonly restartingForMs?: number
}

/** The member metadata (at most 512 bytes on the wire) of our own agents. */
export interface NodeProfile {
  /** Random 128 bit, hexadecimal, made at first start and kept on disk. */
  readonly nodeId: string
  readonly apiPort: Port
  readonly proxyPort: Port
  readonly raftPort: Port
  /** Lower is preferred. */
  readonly priority: number
  readonly role: 'node' | 'witness'
  readonly publicIp?: string
  readonly cordoned?: boolean
}

export type RecordBody =
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'nodeFacts'; readonly facts: NodeFacts }
  /** A tombstone: what had this key is gone. Kept 24 h by everybody who heard of it. */
  | { readonly kind: 'removed' }
  /** Written by an agent of another version. Carried on to others as it came, read by nobody here, published by nobody. */
  | { readonly kind: 'unknown' }

/** Unique within its owner's section: `node` or `i/<containerId>`. */
export type RecordKey = string

export interface SectionRecord {
  readonly key: RecordKey
  readonly version: Version
  readonly body: RecordBody
}

/** All that one node says about itself. */
export interface Section {
  readonly owner: NodeName
  /** The newest version in the section. */
  readonly version: Version
  /** The owner has listed its engine since it started: what is absent here does not exist. */
  readonly complete: boolean
  readonly records: ReadonlyMap<RecordKey, SectionRecord>
}

export const nodeFactsKey: RecordKey = 'node'

export function instanceKey(containerId: string): RecordKey {
  return `i/${containerId}`
}

/** Where a peer's agent listens besides gossip, on its mesh address. */
export function proxyAddress(mesh: Address, profile: NodeProfile): Address {
  return { ip: mesh.ip, port: profile.proxyPort }
}

/** The key every log line of one walk carries: `web@node-a#8`. */
export function walkKey(service: ServiceId, node: NodeName, revision: number): string {
  return `${service}@${node}#${revision}`
}
