/**
 * The cluster of one run and what can be done to it: sites with a name, an address, a clock, a disk and an engine, and on
 * each at most one agent. Does what the plan says and tells the watchers; judges nothing.
 */
import { lanConfig } from '../../src/core/membership/index.ts'
import type { Member, MembershipConfig } from '../../src/core/membership/index.ts'
import { encodeProfile } from '../../src/core/registry/index.ts'
import type { RecordBody, RecordKey } from '../../src/core/registry/index.ts'
import { nodeName } from '../../src/kernel/units.ts'
import type { Millis } from '../../src/kernel/units.ts'
import { aProfile } from '../../src/testing/builders.ts'
import { authoritiesOf, between } from '../../src/testing/sim/authority.ts'
import type { Authorities } from '../../src/testing/sim/authority.ts'
import { createSimClock } from '../../src/testing/sim/clock.ts'
import { startSimAgent } from '../../src/testing/sim/cluster-node.ts'
import type { SimAgent, SimAgentSettings, SimHost } from '../../src/testing/sim/cluster-node.ts'
import { createSimDisk, soundDisk } from '../../src/testing/sim/disk.ts'
import { createSimNetwork } from '../../src/testing/sim/network.ts'
import type { SimNetwork } from '../../src/testing/sim/network.ts'
import { createSimTime } from '../../src/testing/sim/time.ts'
import type { SimTime } from '../../src/testing/sim/time.ts'
import type { View, Watch } from './invariant.ts'
import type { GossipOptions } from './options.ts'

export interface Site {
  readonly host: SimHost
  /** What runs here, whether or not an agent tells of it. */
  readonly containers: Map<RecordKey, RecordBody>
  agent: SimAgent | undefined
  /** How often an agent was started here. */
  starts: number
  /** When the present agent opened its sockets. */
  upAt: Millis
  /** A disk fault happened here: what it keeps is no longer sure. */
  isDiskDoubtful: boolean
  /** Comes back then, unless it is called earlier. */
  returnsAt: Millis | undefined
}

export interface World {
  readonly seed: number
  readonly options: GossipOptions
  readonly config: MembershipConfig
  readonly authorities: Authorities
  readonly time: SimTime
  readonly network: SimNetwork
  readonly sites: readonly Site[]
  readonly watches: Watch[]
  /** Agents whose sockets are open. */
  agents(): readonly SimAgent[]
  views(): readonly View[]
  siteOf(name: string): Site | undefined
  start(site: Site): void
  end(site: Site, how: 'process' | 'power'): void
}

export type Listener = SimAgentSettings['onOutput']

const gossipPort = 7946
const mtuBytes = 1_280
const crcType = 12
const firstRetryMs: Millis = 1_000
const retryMsMax: Millis = 30_000
/** An engine lists its containers in about this time. */
const listingMs: Millis = 1_500

export function createWorld(seed: number, options: GossipOptions, listen: Listener): World {
  const authorities = authoritiesOf(seed)
  const time = createSimTime()
  // The checksum of UDP is weak, ours is not: only where it is present is damage sure to be noticed.
  const settings = { mtuBytes, mayDamage: (bytes: Uint8Array) => bytes[0] === crcType }
  const network = createSimNetwork(time, authorities('network'), options.network, settings)
  const watches: Watch[] = []
  const sites = Array.from({ length: options.nodes }, (_, i) => createSite(i, time, options, authorities))
  const byName = new Map(sites.map(site => [String(site.host.name), site]))

  function start(site: Site): void {
    if (site.agent !== undefined) return
    site.returnsAt = undefined
    const life = ++site.starts
    const { host } = site
    const settings: SimAgentSettings = {
      host,
      network,
      prng: authorities(`agent ${host.name} ${life}`),
      cluster: { meta: encodeProfile(aProfile({ priority: life % 100 })), config: lanConfig },
      onUp: agent => onUp(site, agent),
      onOutput(agent, output, cause) {
        listen(agent, output, cause)
        for (const watch of watches) watch.onOutput?.(agent, output, cause)
      },
    }
    site.agent = startSimAgent(settings)
  }

  function onUp(site: Site, agent: SimAgent): void {
    site.upAt = time.now()
    for (const watch of watches) watch.onUp?.(agent)
    agent.feed({ kind: 'published', changes: [...site.containers].map(([key, body]) => ({ key, body })) })
    const { clock } = agent.process
    clock.at(clock.now() + listingMs, () => agent.feed({ kind: 'completed' }))
    seek(site, agent, firstRetryMs)
  }

  /** As controllers/cluster-seeds.ts: seeds that are no members, and who is remembered when they do not answer. */
  function seek(site: Site, agent: SimAgent, retryMs: Millis): void {
    if (agent !== site.agent) return
    const others = agent.machine.members().filter(member => member.name !== site.host.name)
    // The dead are known too: whoever tries those again is the membership, not its seeds.
    const known = new Set(others.map(({ name }) => name))
    const isAlone = !others.some(isLive)
    if (isAlone) known.clear()
    const prng = authorities(`seeds ${site.host.name} ${time.now()}`)
    const remembered = isAlone && retryMs > firstRetryMs ? prng.shuffled(sites).slice(0, 3) : []
    const wanted = [...sites.slice(0, 3), ...remembered]
    const unknown = [...new Set(wanted)].filter(other => other !== site && !known.has(other.host.name))
    if (unknown.length > 0) agent.feed({ kind: 'join', addresses: unknown.map(({ host }) => host.address) })
    const { clock } = agent.process
    const delayMs = isAlone ? retryMs : retryMsMax
    clock.at(clock.now() + delayMs, () => seek(site, agent, Math.min(2 * retryMs, retryMsMax)))
  }

  const agents = (): readonly SimAgent[] => sites.flatMap(({ agent }) => (agent?.isUp === true ? [agent] : []))

  return {
    seed,
    options,
    config: lanConfig,
    authorities,
    time,
    network,
    sites,
    watches,
    agents,
    views: () =>
      agents().map(agent => ({ agent, members: agent.machine.members(), sections: agent.machine.sections() })),
    siteOf: name => byName.get(name),
    start,
    end(site, how) {
      const { agent } = site
      if (agent === undefined) return
      if (agent.isUp) for (const watch of watches) watch.onEnd?.(agent)
      site.agent = undefined
      agent.kill(how)
    },
  }
}

function createSite(index: number, time: SimTime, options: GossipOptions, authorities: Authorities): Site {
  const name = nodeName(`n${index}`)
  const prng = authorities(`site ${name}`)
  const clock = createSimClock(time, between(prng, -options.driftPpmMax, options.driftPpmMax), prng.below(100_000))
  const faults = options.diskFaults ? { syncMs: [0, 5_000] as const, syncFailure: 0.1 } : soundDisk
  return {
    host: {
      name,
      address: { ip: `10.0.${index >> 8}.${(index & 255) + 1}`, port: gossipPort },
      clock,
      disk: createSimDisk(time, authorities(`disk ${name}`), faults),
    },
    containers: new Map(),
    agent: undefined,
    starts: 0,
    upAt: 0,
    isDiskDoubtful: options.diskFaults,
    returnsAt: undefined,
  }
}

export function isLive({ status }: Member): boolean {
  return status === 'alive' || status === 'suspect'
}
