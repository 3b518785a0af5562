/**
 * The composition root: configuration and real adapters in, an agent out. Nothing is decided here, only put together, in
 * the order in which it starts: what another may hold first (data directory, sockets), then the cluster, then what fills it,
 * then what reads it.
 */
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createDataDirLock } from '../adapters/disk/data-dir-lock.ts'
import { diskStateFiles } from '../adapters/disk/state-files.ts'
import { readOrMakeToken } from '../adapters/disk/token-file.ts'
import { tcpProbe } from '../adapters/net/tcp-probe.ts'
import { nodeClock } from '../adapters/node/clock.ts'
import { hostStatsReader } from '../adapters/node/host-stats.ts'
import { promMetrics } from '../adapters/node/prom-metrics.ts'
import { randomNodeId } from '../adapters/node/random-seed.ts'
import type { ClusterHandle, ClusterSettings } from '../controllers/cluster-handle.ts'
import { createFacade } from '../controllers/facade.ts'
import { createGossipQuestions, type GossipTraits } from '../controllers/gossip-answers.ts'
import { createHealthController } from '../controllers/health.ts'
import { createJournal, type Journal } from '../controllers/journal.ts'
import { createNodeFactsController } from '../controllers/node-facts.ts'
import { createReachabilityController } from '../controllers/reachability.ts'
import { createRoutingController } from '../controllers/routing.ts'
import { createViewController } from '../controllers/view.ts'
import { membershipProfiles } from '../core/membership/index.ts'
import type { NodeProfile } from '../core/registry/index.ts'
import { createProxyServer } from '../delivery/proxy/index.ts'
import { createAuthorise, createRestServer } from '../delivery/rest/index.ts'
import { createTraefikServer } from '../delivery/traefik.ts'
import type { Address, Millis } from '../kernel/units.ts'
import { sleep, type Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import { bindAddresses } from './bind-addresses.ts'
import { createClusterThread, type ClusterThreadData } from './cluster-thread.ts'
import type { Config } from './config.ts'
import { createEngine } from './engine.ts'
import { lifecycle, type Part } from './lifecycle.ts'
import { listening } from './listen.ts'
import { readOrMakeNodeId } from './node-id.ts'
import { isPeerAddress } from './peer-address.ts'
import { version } from './version.ts'

export interface Agent {
  start(): Promise<void>
  /** Says that it will be back, then stops. Containers are not touched. */
  stop(): Promise<void>
}

/** An agent that was told to stop is expected back within this time: a restart of the service, or of the node. */
const backWithinMs: Millis = 60_000
/** For the announcement to reach a few peers: three rounds of gossip. */
const announceMs: Millis = 600
/** Proxied requests in flight get this long to end. */
const drainMs: Millis = 3_000

export async function assembleAgent(config: Config, log: Log): Promise<Agent> {
  const metrics = promMetrics()
  metrics.gauge('constellation_build_info', 1, { version })
  const token = await readOrMakeToken(join(config.paths.secretsPath, 'api-token.txt'))
  const nodeId = await readOrMakeNodeId(diskStateFiles(config.paths.dataDir), config.node.nodeId, randomNodeId)
  const ports: Ports = { clock: nodeClock, log, metrics, journal: createJournal(nodeClock) }
  const controllers = createControllers(config, nodeId, ports)
  const servers = await createServers(config, token, controllers, ports)
  const lock = createDataDirLock(config.paths.dataDir, log)
  const life = lifecycle(
    [
      // First: a second agent must have touched nothing by the time it learns that there is a first.
      { name: 'the lock of the data directory', start: () => lock.acquire(), stop: () => lock.release() },
      ...servers,
      ...controllers.parts,
    ],
    nodeClock,
    log,
  )
  warnAboutAddress(config, log)
  return {
    async start() {
      await life.start()
      log.info('Constellation Agent started successfully', { version, address: config.gossip.bindAddr })
    },
    async stop() {
      controllers.nodeFacts.announceRestart(backWithinMs)
      if (hasLivePeer(controllers.cluster)) await sleep(nodeClock, announceMs, new AbortController().signal)
      await life.stop()
      log.info('Constellation Agent stopped')
    },
  }
}

interface Ports {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly journal: Journal
}

type Controllers = ReturnType<typeof createControllers>

/** The loops of the agent, each reading the one before: cluster and engine make the view, the view makes the routes. */
function createControllers(config: Config, nodeId: string, ports: Ports) {
  const { clock, log, metrics, journal } = ports
  const node = config.node.name
  const cluster = createClusterThread(clusterThreadData(config, nodeId), ports)
  const engine = createEngine(config, { clock, log })
  const health = createHealthController({ engine, cluster, clock, log, metrics, journal, node, expose: config.expose })
  const readHostStats = hostStatsReader(config.paths.dataDir)
  const nodeFacts = createNodeFactsController({ cluster, health, readHostStats, agentVersion: version, clock, log })
  const reachability = createReachabilityController({ node, cluster, probe: tcpProbe, clock, log })
  const view = createViewController({ node, cluster, reachability, health, clock, log, metrics, journal })
  const { domain, traefik } = config
  const routing = createRoutingController({ view, clock, log, metrics, journal, options: { domain, traefik } })
  const parts: readonly Part[] = [
    { name: 'the cluster', start: () => cluster.start(), stop: () => cluster.stop() },
    { name: 'node facts', start: () => nodeFacts.start(), stop: () => nodeFacts.stop() },
    { name: 'routing', start: () => routing.start(), stop: () => routing.stop() },
    { name: 'the view', start: () => view.start(), stop: () => view.stop() },
    { name: 'reachability', start: () => reachability.start(), stop: () => reachability.stop() },
    { name: 'health', start: () => health.start(), stop: () => health.stop() },
  ]
  return { cluster, health, nodeFacts, view, routing, parts }
}

/** What others talk to. Bound before the cluster is joined, so that a port that is taken disturbs nobody. */
async function createServers(
  config: Config,
  token: string,
  { cluster, health, view, routing }: Controllers,
  { clock, log, metrics, journal }: Ports,
): Promise<readonly Part[]> {
  const node = config.node.name
  const { plan, document } = routing
  const engine = (): ReturnType<typeof health.engineState> => health.engineState()
  const gossip = createGossipQuestions({ node, cluster, journal, traits: gossipTraits(config), clock })
  const facade = createFacade({ view, plan, document, cluster, gossip, engine, clock, domain: config.domain, version })
  const peer = (ip: string): boolean => isPeerAddress(ip, view.current())
  const proxy = createProxyServer({
    plan,
    clock,
    log,
    metrics,
    journal,
    node,
    isPeerAddress: peer,
    options: config.proxy,
  })
  const authorise = createAuthorise({ token, hostNames: [node] })
  const provider = createTraefikServer({
    document,
    metrics,
    log,
    trace: { journal, clock },
    auth: ({ method = '', headers, socket }) =>
      authorise({ method, headers, remoteAddress: socket.remoteAddress ?? '' }).kind === 'allowed',
  })
  const rest = await createRestServer({ facade, metrics, log, authorise, version })
  await rest.ready()
  const on = (at: { readonly bind: readonly string[]; readonly port: number }): readonly Address[] =>
    bindAddresses(at.bind, config.gossip.bindAddr, at.port)
  return [
    listening('the proxy', proxy.server, on(config.proxy)),
    { name: 'proxied requests', start: () => undefined, stop: () => proxy.close(drainMs) },
    listening("Traefik's provider", provider, on(config.provider)),
    listening('the API', rest.server, on(config.api)),
  ]
}

function clusterSettings(config: Config, nodeId: string): ClusterSettings {
  const { gossip } = config
  const profile: NodeProfile = {
    nodeId,
    apiPort: config.api.port,
    proxyPort: config.proxy.port,
    raftPort: config.raft.port,
    priority: config.priority,
    role: config.role,
    ...(config.publicIp === undefined ? {} : { publicIp: config.publicIp }),
  }
  return {
    name: config.node.name,
    bind: { ip: gossip.bindAddr, port: gossip.bindPort },
    advertise: { ip: gossip.advertiseAddr, port: gossip.advertisePort },
    seeds: gossip.seeds,
    profile,
    label: gossip.label,
    membership: { ...membershipProfiles[gossip.profile], allowedSources: gossip.allowedSources },
  }
}

/** Keys come only over encrypted gossip and the last one stays: whether there are any is settled at the start. */
function gossipTraits({ gossip }: Config): GossipTraits {
  const encrypted = gossip.key !== undefined || existsSync(gossip.keyringFile)
  return { profile: gossip.profile, labelled: gossip.label !== '', encrypted }
}

function clusterThreadData(config: Config, nodeId: string): ClusterThreadData {
  const { keyringFile, key, verifyIncoming, verifyOutgoing } = config.gossip
  return {
    settings: clusterSettings(config, nodeId),
    security: { keyringFile, key, verifyIncoming, verifyOutgoing },
    dataDir: config.paths.dataDir,
    logLevel: config.log.level,
  }
}

function hasLivePeer(cluster: ClusterHandle): boolean {
  return cluster.snapshot().members.filter(member => member.status === 'alive').length > 1
}

/** Alone on loopback is how a newcomer's agent runs without a tailnet; it should say why nobody joins. */
function warnAboutAddress(config: Config, log: Log): void {
  const ip = config.gossip.advertiseAddr
  const others = Object.values(networkInterfaces()).flat().length > 1
  if (ip === '127.0.0.1' && others) {
    log.warn(
      'no tailnet address was found: other nodes cannot reach this one; set --bind-addr to an address they can reach',
    )
  }
}
