/** The configured engine, made from its settings. */
import { createDockerEngine } from '../adapters/docker/docker-engine.ts'
import { createProcessEngine } from '../adapters/process/process-engine.ts'
import type { ProcessHealth, ProcessSpec } from '../adapters/process/process-spec.ts'
import { invariant } from '../kernel/invariant.ts'
import type { Clock } from '../ports/clock.ts'
import type { ContainerEngine } from '../ports/container-engine.ts'
import type { Log } from '../ports/log.ts'
import type { Config } from './config.ts'

export function createEngine(config: Config, ports: { clock: Clock; log: Log }): ContainerEngine {
  const { engine, paths, gossip } = config
  if (engine.kind === 'docker') return createDockerEngine({ ...ports, ...dockerAddress(engine.docker) })
  const specs = engine.processes.map(processSpec)
  return createProcessEngine({ ...ports, specs, dataDir: paths.dataDir, publishIp: gossip.advertiseAddr })
}

const dockerHttpPort = 2375

function dockerAddress({ host, socketPath }: Config['engine']['docker']) {
  if (host === undefined) return { socketPath }
  const { hostname, port } = new URL(host)
  return { host: hostname, port: port === '' ? dockerHttpPort : Number(port) }
}

type ConfiguredProcess = Config['engine']['processes'][number]

function processSpec(configured: ConfiguredProcess): ProcessSpec {
  const { health, ...spec } = configured
  return health === undefined ? spec : { ...spec, health: processHealth(health) }
}

/** The schema has made sure that exactly one way of checking is given. */
function processHealth({ http, tcp, command, ...timing }: NonNullable<ConfiguredProcess['health']>): ProcessHealth {
  if (http !== undefined) return { ...timing, http }
  if (tcp !== undefined) return { ...timing, tcp }
  invariant(command !== undefined, 'a health check has one way of checking')
  return { ...timing, command }
}
