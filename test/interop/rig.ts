/** What the tests beside memberlist share: one of ours and one of theirs that know each other, and questions to both. */
import { expect, vi } from 'vitest'
import { endAll, startCluster } from '../integration/real-cluster.ts'
import type { RealCluster, RealClusterSettings } from '../integration/real-cluster.ts'
import { formatAddress } from '../../src/kernel/units.ts'
import { killGoPeers, startGoPeer } from './go-peer.ts'
import type { GoPeer, GoPeerSettings } from './go-peer.ts'
import { createWire } from './wire.ts'
import type { Wire } from './wire.ts'

export interface Node extends RealCluster {
  readonly name: string
  readonly wire: Wire
}

export async function startOurs(name: string, settings: RealClusterSettings = {}): Promise<Node> {
  const wire = createWire()
  const node = await startCluster(name, { ...settings, ports: { ...wire.ports, ...settings.ports } })
  return { ...node, name, wire }
}

/** Ours joins theirs. */
export async function pair(
  ourSettings: RealClusterSettings = {},
  theirSettings: GoPeerSettings = {},
): Promise<{ readonly ours: Node; readonly theirs: GoPeer }> {
  const theirs = await startGoPeer('theirs', theirSettings)
  const ours = await startOurs('ours', { ...ourSettings, seeds: [formatAddress(theirs.address)] })
  await untilAllSeeAll([ours, theirs])
  return { ours, theirs }
}

export async function endEverybody(): Promise<void> {
  await endAll()
  await killGoPeers()
}

export function within(timeoutMs: number, check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 50 })
}

/** Each takes exactly these for present, and the others named. */
export async function untilAllSeeAll(
  nodes: readonly (Node | GoPeer)[],
  timeoutMs = 15_000,
  ...others: readonly string[]
): Promise<void> {
  const names = [...nodes.map(({ name }) => name), ...others].sort()
  await within(timeoutMs, async () => {
    for (const node of nodes)
      expect({ of: node.name, sees: await present(node) }).toEqual({ of: node.name, sees: names })
  })
}

async function present(node: Node | GoPeer): Promise<readonly string[]> {
  if (!('handle' in node)) return (await node.members()).map(({ name }) => name)
  const { members } = node.handle.snapshot()
  return members.filter(({ status }) => status === 'alive').map(({ name }) => name)
}

/** Lets that many of our probe rounds begin from now on; theirs are as frequent. */
export async function probeRounds({ handle }: RealCluster, rounds: number): Promise<void> {
  const before = handle.stats().probes
  await within(rounds * 3_000, () => expect(handle.stats().probes).toBeGreaterThanOrEqual(before + rounds))
}

/** Members that we ever took for suspect or worse, in the order it happened. */
export function accusedBy({ log }: RealCluster): readonly string[] {
  return log.lines
    .filter(({ message }) => message === 'member suspect' || message === 'member dead')
    .map(({ fields }) => String(fields['member']))
}

/** Names that they ever suspected, as their log tells it. */
export function suspectedBy(peer: GoPeer): readonly string[] {
  return [...peer.log().matchAll(/Suspect (\S+) has failed/g)].map(([, name = '']) => name)
}

/** The greatest health score they ever had; 0 is best. */
export function worstHealthOf({ events }: GoPeer): number {
  return Math.max(0, ...events.map(line => (line.event === 'health' ? line.score : 0)))
}
