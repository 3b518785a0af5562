/**
 * The composition root: configuration and real adapters in, an agent out. Nothing is decided here, only put together, in
 * the order in which it starts: what another may hold first (data directory, sockets), then the cluster, then what fills it,
 * then what reads it.
 */
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createDataDirLock } from '../adapters/disk/data-dir-lock.ts'
import { diskStateFiles } from '../adapters/disk/state-files.ts'
import { readOrMakeToken } from '../adapters/disk/token-file.ts'
import { seedResolver } from '../adapters/net/resolve-seed.ts'
import { tcpProbe } from '../adapters/net/tcp-probe.ts'
import { openStreams } from '../adapters/net/tcp.ts'
import { openDatagrams } from '../adapters/net/udp.ts'
import { nodeClock } from '../adapters/node/clock.ts'
import { hostStatsReader } from '../adapters/node/host-stats.ts'
import { promMetrics } from '../adapters/node/prom-metrics.ts'
import { randomNodeId, randomSeed } from '../adapters/node/random-seed.ts'
import type { ClusterHandle } from '../controllers/cluster-handle.ts'
import { createCluster } from '../controllers/cluster.ts'
import { createFacade } from '../controllers/facade.ts'
import { createHealthController } from '../controllers/health.ts'
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
import type { StateFiles } from '../ports/state-files.ts'
import { bindAddresses } from './bind-addresses.ts'
import type { Config } from './config.ts'
import { createEngine } from './engine.ts'
import { openGossipSecurity } from './gossip-security.ts'
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
  const stateFiles = diskStateFiles(config.paths.dataDir)
  const token = await readOrMakeToken(join(config.paths.secretsPath, 'api-token.txt'))
  const nodeId = await readOrMakeNodeId(stateFiles, config.node.nodeId, randomNodeId)
  const ports: Ports = { clock: nodeClock, log, metrics, stateFiles }
  const security = await openGossipSecurity(config.gossip, log)
  const controllers = createControllers(config, nodeId, ports, security)
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
  readonly stateFiles: StateFiles
}

type Controllers = ReturnType<typeof createControllers>

/** The loops of the agent, each reading the one before: cluster and engine make the view, the view makes the routes. */
function createControllers(
  config: Config,
  nodeId: string,
  ports: Ports,
  security: Awaited<ReturnType<typeof openGossipSecurity>>,
) {
  const { clock, log, metrics } = ports
  const node = config.node.name
  const cluster = createCluster(clusterSettings(config, nodeId), {
    ...ports,
    ...security,
    openDatagrams,
    openStreams,
    seed: randomSeed(),
    resolveSeed: seedResolver(config.gossip.bindPort),
  })
  const engine = createEngine(config, { clock, log })
  const health = createHealthController({ engine, cluster, clock, log, metrics, node, expose: config.expose })
  const readHostStats = hostStatsReader(config.paths.dataDir)
  const nodeFacts = createNodeFactsController({ cluster, health, readHostStats, agentVersion: version, clock, log })
  const reachability = createReachabilityController({ node, cluster, probe: tcpProbe, clock, log })
  const view = createViewController({ node, cluster, reachability, health, clock, log, metrics })
  const { domain, traefik } = config
  const routing = createRoutingController({ view, clock, log, metrics, options: { domain, traefik } })
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
  { clock, log, metrics }: Ports,
): Promise<readonly Part[]> {
  const node = config.node.name
  const { plan, document } = routing
  const engine = (): ReturnType<typeof health.engineState> => health.engineState()
  const facade = createFacade({ view, plan, document, cluster, engine, clock, domain: config.domain, version })
  const peer = (ip: string): boolean => isPeerAddress(ip, view.current())
  const proxy = createProxyServer({ plan, clock, log, metrics, node, isPeerAddress: peer, options: config.proxy })
  const authorise = createAuthorise({ token, hostNames: [node] })
  const provider = createTraefikServer({
    document,
    metrics,
    log,
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

function clusterSettings(config: Config, nodeId: string): Parameters<typeof createCluster>[0] {
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
