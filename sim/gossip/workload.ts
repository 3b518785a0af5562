/**
 * What happens on the engines meanwhile: containers come, change and go on random nodes, a few at once or one alone. The
 * engine goes on while its agent is away; the agent tells what it finds when it is back. Now and
 * then a node changes its profile.
 */
import { encodeProfile, instanceKey } from '../../src/core/registry/index.ts'
import type { RecordBody } from '../../src/core/registry/index.ts'
import type { Prng } from '../../src/kernel/prng.ts'
import { anInstance, aProfile } from '../../src/testing/builders.ts'
import { between, oneOf } from '../../src/testing/sim/authority.ts'
import type { Site, World } from './world.ts'

const minute = 60_000
const containersMax = 12
const burstMax = 8

export function scheduleWorkload(world: World, untilMs: number): void {
  const prng = world.authorities('workload')
  const everyMs = Math.floor(minute / world.options.changesPerMinute)
  for (let atMs = 1_000 + prng.below(everyMs); atMs < untilMs; atMs += 1 + prng.below(2 * everyMs)) {
    const draws = prng.split()
    world.time.at(atMs, () => {
      const site = oneOf(draws, world.sites)
      if (site !== undefined) change(world, site, draws)
    })
  }
}

function change(world: World, site: Site, prng: Prng): void {
  const count = prng.below(4) === 0 ? between(prng, 2, burstMax) : 1
  const changes = Array.from({ length: count }, () => {
    const id = `c${prng.below(containersMax)}`
    const key = instanceKey(id)
    const isGone = site.containers.has(key) && prng.below(4) === 0
    const body: RecordBody = isGone ? { kind: 'removed' } : { kind: 'instance', instance: instance(world, id, prng) }
    if (isGone) site.containers.delete(key)
    else site.containers.set(key, body)
    return { key, body }
  })
  site.agent?.feed({ kind: 'published', changes })
  if (prng.below(8) > 0) return
  const profile = aProfile({ priority: prng.below(100), cordoned: prng.below(2) > 0 })
  site.agent?.feed({ kind: 'metaChanged', meta: encodeProfile(profile) })
}

/** Of every size up to the largest that is gossiped, so that packets get filled to the last byte; sometimes larger. */
function instance(world: World, containerId: string, prng: Prng) {
  const isLarge = world.options.largeRecords && prng.below(10) === 0
  const length = isLarge ? between(prng, 1_000, 4_000) : prng.below(prng.below(2) > 0 ? 40 : 500)
  return anInstance({ containerId, consecutiveFailures: prng.below(1_000), reason: 'x'.repeat(length) })
}
