/**
 * A program: one member on real sockets with the default configuration, and nothing else of an agent. Told as JSON where
 * it is; says on stdout, one JSON object a line, what it learns. `publish` on stdin changes its record. Ends with stdin.
 */
import { createInterface } from 'node:readline'
import { memoryStateFiles } from '../../src/adapters/memory/state-files.ts'
import { seedResolver } from '../../src/adapters/net/resolve-seed.ts'
import { openStreams } from '../../src/adapters/net/tcp.ts'
import { openDatagrams } from '../../src/adapters/net/udp.ts'
import { nodeClock } from '../../src/adapters/node/clock.ts'
import { randomSeed } from '../../src/adapters/node/random-seed.ts'
import { createCluster } from '../../src/controllers/cluster.ts'
import type { MemberStatus } from '../../src/core/membership/index.ts'
import { instanceKey } from '../../src/core/registry/index.ts'
import { nodeName } from '../../src/kernel/units.ts'
import type { Log } from '../../src/ports/log.ts'
import { anInstance, aProfile } from '../../src/testing/builders.ts'
import { recordingMetrics } from '../../src/testing/recording-metrics.ts'

/** Where it is, and whom it joins. */
export interface Seat {
  readonly name: string
  readonly ip: string
  readonly port: number
}

export type PeerLine =
  | { readonly kind: 'member'; readonly name: string; readonly status: MemberStatus }
  /** Our record was changed; `atMs` is the monotonic clock of this machine. */
  | { readonly kind: 'published'; readonly atMs: number }
  /** Another member's section has changed. */
  | { readonly kind: 'section'; readonly owner: string; readonly atMs: number }

const { seat, seeds } = JSON.parse(process.argv[2] ?? '{}') as { seat: Seat; seeds: readonly string[] }
const address = { ip: seat.ip, port: seat.port }
const nothing = (): void => undefined
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent }
const cluster = createCluster(
  { name: nodeName(seat.name), bind: address, advertise: address, seeds, profile: aProfile() },
  {
    clock: nodeClock,
    openDatagrams,
    openStreams,
    stateFiles: memoryStateFiles(),
    log: silent,
    metrics: recordingMetrics(),
    seed: randomSeed(),
    resolveSeed: seedResolver(seat.port),
  },
)

const statuses = new Map<string, MemberStatus>()
const revisions = new Map<string, number>()
cluster.onChange(({ members, sections }) => {
  const atMs = machineMs()
  for (const { name, status } of members) {
    if (statuses.get(name) === status) continue
    statuses.set(name, status)
    say({ kind: 'member', name, status })
  }
  for (const [owner, { version }] of sections) {
    if (owner === seat.name || revisions.get(owner) === version.revision) continue
    revisions.set(owner, version.revision)
    say({ kind: 'section', owner, atMs })
  }
})

let changes = 0
const commands = createInterface({ input: process.stdin })
commands.on('line', () => void publish())
commands.on('close', () => process.exit())
await cluster.start()

/** One container turns healthy or unhealthy. */
async function publish(): Promise<void> {
  changes++
  const state = changes % 2 === 0 ? 'healthy' : 'unhealthy'
  const instance = anInstance({ state, consecutiveFailures: changes })
  const key = instanceKey(instance.containerId)
  const atMs = machineMs()
  await cluster.publish([{ key, body: { kind: 'instance', instance } }])
  say({ kind: 'published', atMs })
}

function say(line: PeerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** The same in every process of this machine. */
function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
