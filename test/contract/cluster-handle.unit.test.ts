import { hostCluster } from '../../src/controllers/cluster-door/host.ts'
import type { FromCluster, ToCluster } from '../../src/controllers/cluster-door/messages.ts'
import { remoteCluster } from '../../src/controllers/cluster-door/remote.ts'
import { createCluster } from '../../src/controllers/cluster.ts'
import { threadPair } from '../../src/testing/thread-pair.ts'
import { clusterHandleContract } from './cluster-handle.ts'

clusterHandleContract('in this thread', createCluster)

clusterHandleContract('behind the door', (settings, ports) => {
  const { left, right } = threadPair<ToCluster, FromCluster>(ports.clock)
  void hostCluster(right, { clock: ports.clock, logLevel: 'debug' }, inside =>
    Promise.resolve(createCluster(settings, { ...ports, ...inside })),
  )
  return remoteCluster(left, ports)
})
