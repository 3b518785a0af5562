/** Clusters over real sockets on loopback, each with its own data directory; everything ends with `endAll`. */
import { createSocket } from 'node:dgram'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskStateFiles } from '../../src/adapters/disk/state-files.ts'
import { seedResolver } from '../../src/adapters/net/resolve-seed.ts'
import { openStreams } from '../../src/adapters/net/tcp.ts'
import { openDatagrams } from '../../src/adapters/net/udp.ts'
import { nodeClock } from '../../src/adapters/node/clock.ts'
import { randomSeed } from '../../src/adapters/node/random-seed.ts'
import { createCluster } from '../../src/controllers/cluster.ts'
import type { ClusterPorts } from '../../src/controllers/cluster.ts'
import type { ClusterHandle, ClusterSettings } from '../../src/controllers/cluster-handle.ts'
import { instanceKey } from '../../src/core/registry/index.ts'
import type { Instance, RecordKey } from '../../src/core/registry/index.ts'
import { formatAddress, nodeName } from '../../src/kernel/units.ts'
import type { Address } from '../../src/kernel/units.ts'
import { aProfile, anInstance } from '../../src/testing/builders.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import type { RecordingLog } from '../../src/testing/recording-log.ts'
import { recordingMetrics } from '../../src/testing/recording-metrics.ts'
import type { RecordingMetrics } from '../../src/testing/recording-metrics.ts'

export interface RealCluster {
  readonly handle: ClusterHandle
  readonly address: Address
  readonly directory: string
  readonly log: RecordingLog
  readonly metrics: RecordingMetrics
  /** What this node takes the other for. */
  statusOf(name: string): string | undefined
  /** Keys of the live records it holds of the other. */
  recordsOf(name: string): readonly RecordKey[]
  publish(...instances: readonly Partial<Instance>[]): void
}

export interface RealClusterSettings extends Partial<Omit<ClusterSettings, 'name' | 'bind' | 'advertise'>> {
  readonly address?: Address
  readonly directory?: string
  /** In place of the real ones. */
  readonly ports?: Partial<ClusterPorts>
}

const ends: (() => Promise<unknown>)[] = []

export async function endAll(): Promise<void> {
  for (const end of ends.splice(0).toReversed()) await end()
}

export async function startCluster(
  name: string,
  { ports, ...settings }: RealClusterSettings = {},
): Promise<RealCluster> {
  const address = settings.address ?? (await freeAddress())
  const directory = settings.directory ?? (await temporaryDirectory())
  const log = recordingLog()
  const metrics = recordingMetrics()
  const handle = createCluster(
    { seeds: [], profile: aProfile(), ...settings, name: nodeName(name), bind: address, advertise: address },
    {
      clock: nodeClock,
      openDatagrams,
      openStreams,
      stateFiles: diskStateFiles(directory),
      log,
      metrics,
      seed: randomSeed(),
      resolveSeed: seedResolver(7946),
      ...ports,
    },
  )
  ends.push(() => handle.stop())
  await handle.start()
  return {
    handle,
    address,
    directory,
    log,
    metrics,
    statusOf: other => handle.snapshot().members.find(member => member.name === other)?.status,
    recordsOf: other =>
      [...(handle.snapshot().sections.get(nodeName(other))?.records.values() ?? [])]
        .filter(({ body }) => body.kind !== 'removed')
        .map(({ key }) => key)
        .sort(),
    publish(...instances) {
      const all = instances.map(over => anInstance(over))
      void handle.publish(
        all.map(instance => ({ key: instanceKey(instance.containerId), body: { kind: 'instance', instance } })),
      )
    },
  }
}

export function seedOf({ address }: RealCluster): readonly string[] {
  return [formatAddress(address)]
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'constellation-cluster-'))
  ends.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A port nobody holds, neither for UDP nor for TCP. */
export async function freeAddress(): Promise<Address> {
  const ip = '127.0.0.1'
  for (;;) {
    const server = createServer()
    const port = await new Promise<number>(resolve => {
      server.listen(0, ip, () => {
        const address = server.address()
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0)
      })
    })
    const socket = createSocket('udp4')
    const isFree = await new Promise<boolean>(resolve => {
      socket.once('error', () => resolve(false))
      socket.bind(port, ip, () => resolve(true))
    })
    await new Promise<void>(resolve => void socket.close(() => resolve()))
    await new Promise(resolve => server.close(resolve))
    if (isFree) return { ip, port }
  }
}
