/** Records too large for gossip, changed while the cluster is cut in two: how fast all know them once it is mended. */
import { expect, test } from 'vitest'
import { membershipProfiles } from '../../src/core/membership/index.ts'
import { encodeProfile, instanceKey } from '../../src/core/registry/index.ts'
import { createPrng } from '../../src/kernel/prng.ts'
import { nodeName } from '../../src/kernel/units.ts'
import { anInstance, aProfile } from '../../src/testing/builders.ts'
import { createSimClock } from '../../src/testing/sim/clock.ts'
import { startSimAgent } from '../../src/testing/sim/cluster-node.ts'
import type { SimAgent } from '../../src/testing/sim/cluster-node.ts'
import { createSimDisk, soundDisk } from '../../src/testing/sim/disk.ts'
import { createSimNetwork } from '../../src/testing/sim/network.ts'
import { createSimTime } from '../../src/testing/sim/time.ts'

const seconds = 1_000
const key = instanceKey('web')

function started(seed: number, count: number) {
  const time = createSimTime()
  const prng = createPrng(seed)
  const network = createSimNetwork(time, prng.split(), { latencyMs: [1, 10], loss: 0 })
  const start = (number: number): SimAgent =>
    startSimAgent({
      host: {
        name: nodeName(`n${number}`),
        address: { ip: `10.0.0.${number + 1}`, port: 7946 },
        clock: createSimClock(time, 0, 0),
        disk: createSimDisk(time, prng.split(), soundDisk),
      },
      network,
      prng: prng.split(),
      cluster: { meta: encodeProfile(aProfile()), config: membershipProfiles.tailnet },
      onUp: agent => agent.feed({ kind: 'join', addresses: [{ ip: '10.0.0.1', port: 7946 }] }),
      onOutput: () => undefined,
    })
  const agents = Array.from({ length: count }, (_, number) => {
    time.run(1 * seconds)
    return start(number)
  })
  time.run(60 * seconds)
  return { time, network, agents }
}

/** Tells of an instance with so many labels that no packet holds it. */
function publish(agent: SimAgent | undefined, image: string): void {
  const instance = anInstance({ containerId: 'web', image, reason: 'x'.repeat(2_000) })
  agent?.feed({ kind: 'published', changes: [{ key, body: { kind: 'instance', instance } }] })
}

function knows(agent: SimAgent, owner: SimAgent | undefined, image: string): boolean {
  const record = owner && agent.machine.sections().get(owner.host.name)?.records.get(key)
  return record?.body.kind === 'instance' && record.body.instance.image === image
}

test.each([1, 2, 3, 4, 5, 6])(
  'a large record changed in a cut of a minute is known by all 10 s after the first push/pull across (seed %i)',
  seed => {
    const { time, network, agents } = started(seed, 16)
    const [west, east] = [agents.slice(0, 8), agents.slice(8)]
    const owner = west[3]
    publish(owner, 'before')
    time.run(5 * seconds)
    expect(agents.every(agent => knows(agent, owner, 'before'))).toBe(true)

    const eachWay = (act: (a: string, b: string) => void): void => {
      for (const a of west.map(({ host }) => host.address.ip))
        for (const b of east.map(({ host }) => host.address.ip)) {
          act(a, b)
          act(b, a)
        }
    }
    eachWay((a, b) => network.cut(a, b))
    time.run(30 * seconds)
    publish(owner, 'after')
    time.run(30 * seconds)
    const ignorant = (): readonly string[] =>
      agents.filter(agent => !knows(agent, owner, 'after')).map(({ host }) => host.name)
    expect(ignorant()).toEqual(east.map(({ host }) => host.name))

    eachWay((a, b) => network.mend(a, b))
    expect(time.runUntil(() => ignorant().length < east.length, 90 * seconds)).toBe(true)
    time.run(10 * seconds)
    expect(ignorant()).toEqual([])
  },
)
