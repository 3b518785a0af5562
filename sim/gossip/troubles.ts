/** Makes the plan come true, and in the end undoes all that can be undone. */
import { epochFileName } from '../../src/controllers/cluster-epoch.ts'
import { unreachable } from '../../src/kernel/invariant.ts'
import type { Millis } from '../../src/kernel/units.ts'
import { soundDisk } from '../../src/testing/sim/disk.ts'
import type { PlannedTrouble, Trouble } from './plan.ts'
import type { Site, World } from './world.ts'

/** From the word that it has left until the process ends. */
const farewellMs: Millis = 200
/** A node that nobody hears leaves all the same. */
const leaveMsMax: Millis = 5_000

export function scheduleTroubles(world: World, plan: readonly PlannedTrouble[], tell: (line: string) => void): void {
  world.watches.push({
    onOutput(agent, output) {
      const site = world.siteOf(agent.host.name)
      if (output.kind !== 'leaveFinished' || site === undefined) return
      after(world, farewellMs, () => {
        if (site.agent === agent) world.end(site, 'process')
      })
    },
  })
  for (const { atMs, trouble } of plan)
    world.time.at(atMs, () => {
      tell(`trouble ${JSON.stringify(trouble)}`)
      cause(world, trouble)
    })
}

/** No more cuts, losses, pauses and broken disks; whoever was to come back does so now. */
export function heal(world: World): void {
  const { network, options, sites } = world
  network.heal()
  network.faults = { latencyMs: options.network.latencyMs, loss: 0 }
  for (const site of sites) {
    site.host.disk.faults = soundDisk
    site.agent?.process.resume()
    if (site.returnsAt !== undefined) world.start(site)
  }
}

function after({ time }: World, delayMs: Millis, action: () => void): void {
  time.at(time.now() + delayMs, action)
}

function cause(world: World, trouble: Trouble): void {
  if (trouble.kind === 'cut') return cut(world, trouble)
  if (trouble.kind === 'slowLink') return slowDown(world, trouble)
  const site = world.sites[trouble.node]
  if (site === undefined) return
  switch (trouble.kind) {
    case 'start':
      return world.start(site)
    case 'crash':
      return crash(world, site, trouble)
    case 'pause':
      return pause(world, site, trouble.forMs)
    case 'leave':
      return leave(world, site, trouble.backAfterMs)
    case 'jumpWall':
      return site.host.clock.jumpWall(trouble.byMs)
    default:
      return unreachable(trouble)
  }
}

function crash(world: World, site: Site, trouble: Extract<Trouble, { readonly kind: 'crash' }>): void {
  if (site.agent === undefined) return
  world.end(site, trouble.how)
  const { disk } = site.host
  if (trouble.disk !== 'kept') site.isDiskDoubtful = true
  if (trouble.disk === 'lost') disk.lose()
  if (trouble.disk === 'flipped') disk.flipBit(epochFileName)
  comeBack(world, site, trouble.backAfterMs)
}

function comeBack(world: World, site: Site, afterMs: Millis | undefined): void {
  if (afterMs === undefined) return
  const { starts } = site
  site.returnsAt = world.time.now() + afterMs
  after(world, afterMs, () => {
    if (site.starts === starts) world.start(site)
  })
}

function pause(world: World, { agent }: Site, forMs: Millis): void {
  if (agent?.process.state !== 'running') return
  agent.process.pause()
  after(world, forMs, () => agent.process.resume())
}

function leave(world: World, site: Site, backAfterMs: Millis | undefined): void {
  const { agent } = site
  if (agent?.isUp !== true) return
  agent.feed({ kind: 'leave' })
  after(world, leaveMsMax, () => {
    if (site.agent === agent) world.end(site, 'process')
  })
  after(world, leaveMsMax, () => comeBack(world, site, backAfterMs))
}

function cut(world: World, { west, oneWay, forMs }: Extract<Trouble, { readonly kind: 'cut' }>): void {
  const ips = world.sites.map(({ host }) => host.address.ip)
  const pairs = west.flatMap(from =>
    ips.flatMap((ip, to) => (west.includes(to) ? [] : [[ips[from] ?? '', ip] as const])),
  )
  for (const [from, to] of pairs) {
    world.network.cut(from, to)
    if (!oneWay) world.network.cut(to, from)
  }
  after(world, forMs, () => {
    for (const [from, to] of pairs) {
      world.network.mend(from, to)
      if (!oneWay) world.network.mend(to, from)
    }
  })
}

function slowDown(world: World, { from, to, forMs }: Extract<Trouble, { readonly kind: 'slowLink' }>): void {
  const [ipFrom, ipTo] = [from, to].map(index => world.sites[index]?.host.address.ip ?? '')
  if (ipFrom === undefined || ipTo === undefined) return
  world.network.link(ipFrom, ipTo, { ...world.options.network, latencyMs: [200, 2_000], bytesPerMs: 1 })
  after(world, forMs, () => world.network.link(ipFrom, ipTo, undefined))
}
