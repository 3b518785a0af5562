/** Three clusters over real UDP and TCP on loopback: joining, telling, dying, coming back, and enduring noise. */
import { createSocket } from 'node:dgram'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { RecordKey } from '../../src/core/registry/index.ts'
import { createPrng } from '../../src/kernel/prng.ts'
import type { Address } from '../../src/kernel/units.ts'
import { endAll, freeAddress, seedOf, startCluster } from './real-cluster.ts'
import type { RealCluster } from './real-cluster.ts'

const within = (timeoutMs: number, check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: timeoutMs, interval: 10 })

afterEach(endAll)

async function three(): Promise<readonly [RealCluster, RealCluster, RealCluster]> {
  const a = await startCluster('a')
  const b = await startCluster('b', { seeds: seedOf(a) })
  const c = await startCluster('c', { seeds: seedOf(a) })
  const all = [a, b, c] as const
  await within(5_000, () => {
    for (const node of all)
      expect(['a', 'b', 'c'].map(name => node.statusOf(name))).toEqual(['alive', 'alive', 'alive'])
  })
  return all
}

function everybodyHolds(all: readonly RealCluster[], owner: string, keys: readonly RecordKey[]): void {
  for (const node of all) expect(node.recordsOf(owner)).toEqual(keys)
}

test('by one seed all find each other, and what one says all know within a second, small or large', async () => {
  const all = await three()
  const [a, b, c] = all
  await within(2_000, () => expect(all.map(node => node.handle.snapshot().synced)).toEqual([true, true, true]))
  a.publish({ containerId: 'web' })
  b.publish({ containerId: 'large', reason: 'x'.repeat(2_000) }, { containerId: 'huge', reason: 'y'.repeat(4_000) })
  await within(1_000, () => {
    everybodyHolds(all, 'a', ['i/web'])
    everybodyHolds(all, 'b', ['i/huge', 'i/large'])
  })
  a.publish({ containerId: 'web', state: 'unhealthy' })
  const stateAt = (node: RealCluster): unknown =>
    node.handle
      .snapshot()
      .sections.get(a.handle.snapshot().members[0]?.name as never)
      ?.records.get('i/web')?.body
  await within(1_000, () => {
    for (const node of [b, c]) expect(stateAt(node)).toMatchObject({ instance: { state: 'unhealthy' } })
  })
  const walk = 'shop:web@a#2'
  expect(a.log.lines.filter(({ fields }) => fields.key === walk).map(({ message }) => message)).toEqual([
    'record published',
  ])
  expect(c.log.lines.filter(({ fields }) => fields.key === walk)).toMatchObject([
    { level: 'info', message: 'record received', fields: { state: 'unhealthy', was: 'healthy' } },
  ])
})

test('what was published before joining is known to all soon after', async () => {
  const a = await startCluster('a')
  const b = await startCluster('b', { seeds: seedOf(a) })
  await within(5_000, () => expect(a.statusOf('b')).toBe('alive'))
  a.publish({ containerId: 'old' })
  const c = await startCluster('c', { seeds: seedOf(a) })
  c.publish({ containerId: 'new' }, { containerId: 'big', reason: 'x'.repeat(2_000) })
  await within(3_000, () => {
    everybodyHolds([a, b, c], 'a', ['i/old'])
    everybodyHolds([a, b, c], 'c', ['i/big', 'i/new'])
  })
})

test('one that stops without a word is found dead, what it said is kept, and one that leaves is not', async () => {
  const all = await three()
  const [a, b, c] = all
  b.publish({ containerId: 'web' })
  c.publish({ containerId: 'db' })
  await within(2_000, () => {
    everybodyHolds(all, 'b', ['i/web'])
    everybodyHolds(all, 'c', ['i/db'])
  })
  await b.handle.stop()
  await within(9_000, () => expect([a.statusOf('b'), c.statusOf('b')]).toEqual(['dead', 'dead']))
  everybodyHolds([a, c], 'b', ['i/web'])
  expect(a.log.lines.filter(({ fields }) => fields['member'] === 'b').map(({ message }) => message)).toEqual([
    'member joined',
    'member suspect',
    'member dead',
  ])
  await c.handle.leave(5_000)
  await within(3_000, () => expect(a.statusOf('c')).toBe('left'))
  expect(a.handle.snapshot().sections.has('c' as never)).toBe(false)
  await c.handle.stop()
  expect(await readFile(join(c.directory, 'peers.json'), 'utf8')).toBe('[]\n')
  await within(2_000, () => expect(a.metrics.value('constellation_gossip_members', { status: 'dead' })).toBe(1))
})

test('a restart raises the epoch, and what is gone vanishes once the owner is complete', async () => {
  const [a, b, c] = await three()
  a.publish({ containerId: 'stays' }, { containerId: 'goes' })
  a.handle.markComplete()
  await within(2_000, () => everybodyHolds([a, b, c], 'a', ['i/goes', 'i/stays']))
  await a.handle.stop()
  // No seeds: it finds the others by the list it kept.
  const again = await startCluster('a', { address: a.address, directory: a.directory })
  again.publish({ containerId: 'stays' })
  await within(3_000, () => {
    for (const node of [b, c]) expect(node.handle.snapshot().sections.get('a' as never)?.version.epoch).toBe(2)
  })
  everybodyHolds([b, c], 'a', ['i/goes', 'i/stays'])
  again.handle.markComplete()
  await within(2_000, () => everybodyHolds([again, b, c], 'a', ['i/stays']))
})

test('a node whose disk was lost rises above what its peers still hold', async () => {
  const [a, b] = await three()
  await a.handle.stop()
  const second = await startCluster('a', { address: a.address, directory: a.directory })
  second.publish({ containerId: 'web', state: 'starting' }, { containerId: 'db' })
  await within(3_000, () => expect(b.recordsOf('a')).toEqual(['i/db', 'i/web']))
  await second.handle.stop()
  const fresh = await startCluster('a', { address: a.address, seeds: seedOf(b) })
  fresh.publish({ containerId: 'web' })
  fresh.handle.markComplete()
  await within(5_000, () => expect(b.recordsOf('a')).toEqual(['i/web']))
  await fresh.handle.stop()
  expect(JSON.parse(await readFile(join(fresh.directory, 'epoch.json'), 'utf8'))).toEqual({ epoch: 3 })
})

test('noise on UDP and TCP is refused and counted, and the cluster goes on', async () => {
  const all = await three()
  const [a] = all
  await storm(a.address)
  await within(3_000, () => {
    const refused = a.metrics.value('constellation_gossip_refused_total', { reason: 'malformed' })
    const unknown = a.metrics.value('constellation_gossip_refused_total', { reason: 'unknownType' })
    expect(refused + unknown).toBeGreaterThan(50)
  })
  // Valid user messages of somebody else's application reach the registry.
  await send(a.address, [Uint8Array.of(8, 3, 1, 2, 3)])
  await within(2_000, () =>
    expect(a.metrics.value('constellation_registry_refused_total', { reason: 'foreign' })).toBe(1),
  )
  a.publish({ containerId: 'web' })
  await within(1_000, () => everybodyHolds(all, 'a', ['i/web']))
  expect(all.map(node => ['a', 'b', 'c'].map(name => node.statusOf(name)))).toEqual(
    Array.from({ length: 3 }, () => ['alive', 'alive', 'alive']),
  )
})

test('a disk that takes nothing does not stop it', async () => {
  const directory = join((await startCluster('x')).directory, 'file-in-the-way')
  await writeFile(directory, '')
  const a = await startCluster('a', { directory })
  const b = await startCluster('b', { seeds: seedOf(a) })
  a.publish({ containerId: 'web' })
  await within(3_000, () => everybodyHolds([a, b], 'a', ['i/web']))
  const warnings = a.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
  expect(new Set(warnings).size).toBe(warnings.length)
  for (const said of [
    'cannot read the boot epoch, going on without',
    'the boot epoch is taken from the wall clock',
    'cannot read the list of known peers, going on without',
  ])
    expect(warnings).toContain(said)
})

test('a taken port ends the start with advice, and the other socket is closed', async () => {
  const address = await freeAddress()
  const blocker = createSocket('udp4')
  await new Promise<void>(resolve => void blocker.bind(address.port, address.ip, resolve))
  await expect(startCluster('a', { address })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' })
  await new Promise<void>(resolve => void blocker.close(() => resolve()))
  await startCluster('a', { address })
})

/** Random packets of all sizes, the largest UDP takes, and random streams, some of which are never ended. */
async function storm(to: Address): Promise<void> {
  const prng = createPrng(20)
  const noise = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, () => prng.below(256))
  await send(to, [
    ...Array.from({ length: 200 }, () => noise(1 + prng.below(1_400))),
    ...Array.from({ length: 5 }, () => noise(60_000)),
    new Uint8Array(60_000).fill(7),
  ])
  for (let i = 0; i < 20; i++) {
    const socket = connect(to.port, to.ip).on('error', () => undefined)
    socket.write(noise(1 + prng.below(5_000)))
    if (i % 2 === 0) socket.end()
  }
}

async function send(to: Address, packets: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4')
  for (const packet of packets)
    await new Promise(resolve => {
      socket.send(packet, to.port, to.ip, resolve)
    })
  await new Promise<void>(resolve => {
    socket.close(resolve)
  })
}
