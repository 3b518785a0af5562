/**
 * The shapes of the API as schemas: what is sent is checked against them and /openapi.json is made from them. No `.default`
 * and no `.transform` here: the serialiser would answer 500 for the one and lose the type of the other.
 */
import { z } from 'zod'
import { fingerprintPattern } from '../../core/cluster/index.ts'
import { hopNames } from '../../controllers/journal.ts'

/** Schemas with an id become `#/components/schemas/<id>`. A registry of our own: the global one is shared by everybody. */
export const components = z.registry<{ readonly id?: string; readonly description?: string }>()

/** `.describe` would write into the global registry, where the document is not made from. */
const described = <T extends z.ZodType>(schema: T, description: string): T => {
  components.add(schema, { description })
  return schema
}

const listOf = <T extends z.ZodType>(item: T) => z.array(item).readonly()
const count = () => z.int().min(0)

const memberStatus = z.enum(['alive', 'suspect', 'dead', 'left'])
const serviceState = described(
  z.enum(['healthy', 'degraded', 'down', 'stopped']),
  'healthy: every instance may receive traffic; degraded: some may, or only as a last resort, or a label is wrong; ' +
    'down: none may; stopped: not routed and nothing of it runs',
)

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: described(z.string(), 'Stable, for programs'),
    reasons: listOf(z.string()).optional(),
  })
  .register(components, { id: 'Problem', description: 'RFC 9457' })

export const health = z.object({ status: z.literal('ok') }).register(components, { id: 'Health' })

const gossipStats = z.object({
  healthScore: described(count(), '0 is best; rises while this node itself is slow'),
  queueDepth: count(),
  suspicions: count(),
  refutations: count(),
  probes: count(),
  probeFailures: count(),
  falsePositives: described(count(), 'Members held for suspect or dead here, who then refuted it'),
  packetsSent: count(),
  packetsReceived: count(),
  bytesSent: count(),
  bytesReceived: count(),
})

const engine = z.object({
  kind: z.enum(['docker', 'process']),
  connected: z.boolean(),
  version: z.string().optional(),
  reason: z.string().optional(),
})

export const status = z
  .object({
    node: z.string(),
    version: z.string(),
    domain: z.string(),
    uptimeMs: count(),
    viewRevision: described(count(), 'Rises with every change of the view of this node; starts anew with the agent'),
    complete: described(z.boolean(), 'Enough is known to serve routes'),
    members: z.object({ alive: count(), suspect: count(), dead: count(), left: count() }),
    services: z.object({ total: count(), healthy: count(), degraded: count(), down: count(), stopped: count() }),
    engine,
    traefik: z.object({ generation: count(), etag: z.string().optional(), complaints: listOf(z.string()) }),
    gossip: gossipStats,
  })
  .register(components, { id: 'Status' })

const instance = z
  .object({
    node: z.string(),
    containerId: z.string(),
    containerName: z.string(),
    image: z.string(),
    state: z.enum(['healthy', 'unhealthy', 'starting', 'stopped']),
    reason: z.string().optional(),
    traffic: z.enum(['yes', 'lastResort', 'no']),
    trafficReason: z.string(),
    since: described(z.string().optional(), 'When the state began, RFC 3339, by the wall clock of its node'),
    consecutiveFailures: count(),
    restartGivenUp: z.boolean(),
    upstream: described(
      z.object({ url: z.string(), via: z.enum(['instance', 'peerProxy']) }).optional(),
      'Where this node sends requests for it',
    ),
    complaints: listOf(z.string()),
  })
  .register(components, { id: 'Instance' })

const nodeFacts = z.object({
  agentVersion: z.string(),
  arch: z.string(),
  os: z.string(),
  cpuCount: count(),
  memoryTotalBytes: count(),
  memoryFreeBytes: count(),
  diskTotalBytes: count(),
  diskFreeBytes: count(),
  engine: z.object({ kind: z.string(), version: z.string(), connected: z.boolean() }),
  restartingForMs: count().optional(),
})

const nodeShape = {
  name: z.string(),
  self: z.boolean(),
  address: described(z.string(), 'Mesh address and gossip port'),
  status: memberStatus,
  agent: z.enum(['up', 'restarting', 'agentDown', 'unknown', 'left']),
  incarnation: count(),
  role: z.enum(['node', 'witness']).optional(),
  priority: described(z.int().optional(), 'Lower is preferred'),
  publicIp: z.string().optional(),
  cordoned: z.boolean().optional(),
  facts: nodeFacts.optional(),
  instances: z.object({ healthy: count(), unhealthy: count(), starting: count(), stopped: count() }),
}

const node = z.object(nodeShape).register(components, { id: 'Node' })

export const nodes = z.object({ viewRevision: count(), nodes: listOf(node) }).register(components, { id: 'Nodes' })

export const nodeDetail = z
  .object({ ...nodeShape, services: listOf(z.object({ id: z.string(), instances: listOf(instance) })) })
  .register(components, { id: 'NodeDetail' })

export const service = z
  .object({
    id: z.string(),
    state: serviceState,
    routed: z.boolean(),
    hosts: listOf(z.string()),
    complaints: listOf(z.string()),
    instances: listOf(instance),
  })
  .register(components, { id: 'Service' })

export const services = z
  .object({ viewRevision: count(), services: listOf(service) })
  .register(components, { id: 'Services' })

export const metrics = z
  .record(z.string(), listOf(z.object({ labels: z.record(z.string(), z.string()), value: z.number() })))
  .register(components, { id: 'Metrics' })

export const gossip = z
  .object({
    node: z.string(),
    address: described(z.string(), 'What peers are told'),
    profile: described(z.string(), 'Names the timers of the gossip; one for the whole cluster'),
    labelled: described(z.boolean(), 'Packets carry a label that keeps clusters apart'),
    encrypted: z.boolean(),
    synced: described(z.boolean(), 'A push/pull with somebody has succeeded since the start'),
    healthScore: described(count(), '0 is best; rises while this node itself is slow'),
    members: z.object({ alive: count(), suspect: count(), dead: count(), left: count() }),
    stats: gossipStats,
  })
  .register(components, { id: 'Gossip' })

const gossipMember = z
  .object({
    name: z.string(),
    self: z.boolean(),
    status: memberStatus,
    statusForMs: described(count(), 'For how long, as seen from the node that answers'),
    address: z.string(),
    incarnation: count(),
    protocol: described(
      z.object({ current: count(), min: count(), max: count() }),
      'Of memberlist, spoken and understood; 0 when the member never said',
    ),
    healthScore: described(count().optional(), 'Of the node that answers only; a member does not tell its own'),
    role: described(z.enum(['node', 'witness']).optional(), 'Absent for a member that is no agent, such as serf'),
    priority: described(z.int().optional(), 'Lower is preferred'),
    metaSizeBytes: count(),
  })
  .register(components, { id: 'GossipMember' })

export const gossipMembers = z
  .object({ node: z.string(), members: listOf(gossipMember) })
  .register(components, { id: 'GossipMembers' })

const hop = z.object({
  hop: described(
    z.enum(hopNames),
    'observed, decided, published, sent: on the author; received to served: on each node it reaches',
  ),
  atMs: described(z.number(), 'Monotonic clock of the node that answers; comparable with its nowMs only'),
  wallMs: described(z.number(), 'The same moment, milliseconds since 1970'),
  detail: z.string(),
})

export const trace = z
  .object({
    node: z.string(),
    nowMs: described(z.number(), 'When this was answered, by the clock of the hops'),
    wallNowMs: z.number(),
    key: described(z.string(), 'service@node#revision: what has changed'),
    hops: described(listOf(hop), 'By time'),
  })
  .register(components, { id: 'Trace' })

const fingerprint = () => z.string().regex(fingerprintPattern)

export const gossipKeys = z
  .object({
    operation: z.enum(['list', 'install', 'use', 'remove']),
    complete: described(z.boolean(), 'Every node did it'),
    refusals: listOf(z.string()),
    keys: listOf(
      z.object({
        fingerprint: described(fingerprint(), 'The first twelve hexadecimal digits of the SHA-256 of the key'),
        primaryOn: described(listOf(z.string()), 'Nodes that encrypt with it'),
        missingOn: described(listOf(z.string()), 'Nodes that answered and do not have it'),
      }),
    ),
    nodes: listOf(
      z.object({
        node: z.string(),
        outcome: described(
          z.enum(['done', 'refused', 'silent', 'notAsked']),
          'silent: alive, but without an answer in time; notAsked: it is not alive, or nothing was begun',
        ),
        fingerprints: described(listOf(fingerprint()), 'The primary first; empty when it did not answer'),
        reason: z.string().optional(),
      }),
    ),
  })
  .register(components, { id: 'GossipKeys' })

export const keyBody = z.object({ key: described(z.string().max(64), 'Base64 of 16, 24 or 32 random bytes') })
export const fingerprintBody = z.object({ fingerprint: fingerprint() })

/** As long as the longest name that exists; whether it does is answered with 404. */
export const nodeParams = z.object({ node: z.string().min(1).max(128) })
export const serviceParams = z.object({ service: z.string().min(1).max(257) })
/** `service@node#revision`. */
export const traceParams = z.object({ key: z.string().min(1).max(420) })
