/**
 * The cluster in a thread of its own, as the agent sees it: a ClusterHandle. A thread that breaks takes the agent with it,
 * as any other bug does, and so does one that hangs; the agent without its cluster would serve an ever older picture.
 */
import { createThread } from '../adapters/node/thread.ts'
import type { FromCluster, LogLevel, ToCluster } from '../controllers/cluster-door/messages.ts'
import { remoteCluster } from '../controllers/cluster-door/remote.ts'
import type { RemotePorts } from '../controllers/cluster-door/remote.ts'
import { watchForSilence } from '../controllers/cluster-door/silence.ts'
import type { ClusterHandle, ClusterSettings } from '../controllers/cluster-handle.ts'
import type { Clock } from '../ports/clock.ts'
import type { ThreadPort } from '../ports/thread-port.ts'
import type { GossipSecuritySettings } from './gossip-security.ts'

/** All that the thread is told at its start. */
export interface ClusterThreadData {
  readonly settings: ClusterSettings
  readonly security: GossipSecuritySettings
  readonly dataDir: string
  readonly logLevel: LogLevel
}

/** Beside this file, in the build. */
const entry = new URL('./cluster-worker.js', import.meta.url)

/** What dies young is collected often instead of being kept: gossip makes much small rubbish and holds little. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 }

export function createClusterThread(
  data: ClusterThreadData,
  ports: RemotePorts & { readonly clock: Clock },
): ClusterHandle {
  const thread = createThread<ToCluster, FromCluster>({
    entry,
    name: 'cluster',
    data,
    resourceLimits,
    onDeath: endAgent,
  })
  const watch = watchForSilence(ports.clock, () => endAgent(new Error('the thread of the cluster hangs')))
  const port: ThreadPort<ToCluster, FromCluster> = {
    post: message => thread.post(message),
    listen: listener =>
      thread.listen(message => {
        watch.heard()
        listener(message)
      }),
  }
  const cluster = remoteCluster(port, ports)
  return {
    ...cluster,
    async start() {
      thread.start()
      try {
        await cluster.start()
        watch.start()
      } catch (error) {
        await thread.end()
        throw error
      }
    },
    async stop() {
      watch.stop()
      await cluster.stop()
      await thread.end()
    },
  }
}

/** From inside an event nobody can catch it: it reaches the handler for bugs, stack and all. */
function endAgent(error: unknown): never {
  throw error
}
