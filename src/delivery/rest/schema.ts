/**
 * The shapes of the API as schemas: what is sent is checked against them and /openapi.json is made from them. No `.default`
 * and no `.transform` here: the serialiser would answer 500 for the one and lose the type of the other.
 */
import { z } from 'zod'

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
    gossip: z.object({
      healthScore: described(count(), '0 is best; rises while this node itself is slow'),
      queueDepth: count(),
      suspicions: count(),
      refutations: count(),
      probes: count(),
      probeFailures: count(),
      packetsSent: count(),
      packetsReceived: count(),
      bytesSent: count(),
      bytesReceived: count(),
    }),
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

/** As long as the longest name that exists; whether it does is answered with 404. */
export const nodeParams = z.object({ node: z.string().min(1).max(128) })
export const serviceParams = z.object({ service: z.string().min(1).max(257) })
