/** How soon a death is known: the figures of memberlist's timing, with room for clocks, pauses and lost packets. */
import type { Millis } from '../../../src/kernel/units.ts'
import type { GossipInvariant } from '../invariant.ts'
import { isLive } from '../world.ts'
import type { Site, World } from '../world.ts'

/** Waiting for the next probe and its round take two seconds; in one of a thousand runs five, with a lost answer more. */
const noticeMs: Millis = 7_000
/** Younger agents may not have met yet. */
const settledMs: Millis = 10_000
const pushPullMs: Millis = 30_000

export const deathsNoticed: GossipInvariant = {
  name: 'deaths-noticed',
  claim: 'in calm seeds somebody declares a crashed node dead in time, and a push/pull later everybody knows',
  watch(world, report) {
    function expectDeath(site: Site): void {
      const { starts } = site
      const name: string = site.host.name
      const isBack = (): boolean => site.starts !== starts
      const witnesses = settled(world).filter(other => other !== site)
      if (witnesses.length === 0) return
      const believers = (): readonly Site[] =>
        witnesses.filter(
          ({ agent, starts: life }, i) =>
            life === lives[i] &&
            agent?.isUp === true &&
            agent.machine.members().some(member => member.name === name && isLive(member)),
        )
      const lives = witnesses.map(witness => witness.starts)
      const stillThere = (): number =>
        witnesses.filter(({ agent, starts: life }, i) => agent && life === lives[i]).length
      const firstMs = suspicionMs(world, witnesses.length) + noticeMs + world.options.pauseMsMax
      const after = (delayMs: Millis, check: () => void) => world.time.at(world.time.now() + delayMs, check)
      after(firstMs, () => {
        if (!isBack() && stillThere() > 0 && believers().length === stillThere())
          report(name, `crashed, and ${firstMs} ms later nobody of ${witnesses.length} holds it for dead`)
      })
      after(firstMs + anotherPushPull(world.sites.length), () => {
        if (isBack()) return
        for (const { host } of believers()) report(host.name, `still holds ${name} for alive, too long after its crash`)
      })
    }

    return {
      onEnd(agent) {
        const site = world.siteOf(agent.host.name)
        const self = agent.machine.members().find(member => member.name === agent.host.name)
        const isCalm = world.options.temper === 'calm'
        if (isCalm && site !== undefined && self?.status === 'alive' && isSettled(world, site)) expectDeath(site)
      },
    }
  },
}

function settled(world: World): readonly Site[] {
  return world.sites.filter(site => site.agent?.isUp === true && isSettled(world, site))
}

function isSettled({ time }: World, { upAt }: Site): boolean {
  return time.now() - upAt >= settledMs
}

/** The longest a suspicion may take when all witnesses share it and everybody who ever ran may still be counted. */
function suspicionMs({ sites, config }: World, witnesses: number): Millis {
  const members = sites.filter(({ starts }) => starts > 0).length
  const scale = Math.max(1, Math.log10(members))
  const leastMs = config.suspicionMult * scale * config.probeIntervalMs
  const wanted = members - 2 < 2 ? 0 : 2
  if (wanted === 0) return leastMs
  const share = Math.log(Math.min(wanted, witnesses - 1) + 1) / Math.log(wanted + 1)
  return leastMs * (config.suspicionMaxMult - share * (config.suspicionMaxMult - 1))
}

function anotherPushPull(members: number): Millis {
  return pushPullMs * (Math.max(0, Math.ceil(Math.log2(members) - 5)) + 1) + 3_000
}
