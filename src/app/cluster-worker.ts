/**
 * The program of the cluster's thread: membership, registry, their sockets and files. It serves the door of
 * controllers/cluster-door and nothing else; imports little, for every module here is loaded a second time.
 */
import { diskStateFiles } from '../adapters/disk/state-files.ts'
import { seedResolver } from '../adapters/net/resolve-seed.ts'
import { openStreams } from '../adapters/net/tcp.ts'
import { openDatagrams } from '../adapters/net/udp.ts'
import { nodeClock } from '../adapters/node/clock.ts'
import { punctualClock } from '../adapters/node/punctual-clock.ts'
import { randomSeed } from '../adapters/node/random-seed.ts'
import { insideThread } from '../adapters/node/thread.ts'
import { hostCluster } from '../controllers/cluster-door/host.ts'
import type { FromCluster, ToCluster } from '../controllers/cluster-door/messages.ts'
import { createCluster } from '../controllers/cluster.ts'
import type { ClusterThreadData } from './cluster-thread.ts'
import { openGossipSecurity } from './gossip-security.ts'

const inside = insideThread<FromCluster, ToCluster>()
// What cluster-thread.ts hands over; nobody else starts this file.
const data = inside.data as ClusterThreadData

const { clock, takeDelay } = punctualClock(nodeClock)

await hostCluster(inside.port, { clock, logLevel: data.logLevel }, async ports => {
  const security = await openGossipSecurity(data.security, ports.log)
  return createCluster(data.settings, {
    ...ports,
    ...security,
    clock,
    openDatagrams,
    openStreams,
    stateFiles: diskStateFiles(data.dataDir),
    seed: randomSeed(),
    takeRuntimeDelay: takeDelay,
    resolveSeed: seedResolver(data.settings.bind.port),
  })
})
