/**
 * Our cluster beside a real serf agent, which is HashiCorp's own memberlist: both must take each other for an equal member,
 * notice each other's death, and see departures.
 */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { aesGcm } from '../../src/adapters/node/aes-gcm.ts'
import { lanConfig } from '../../src/core/membership/index.ts'
import type { GossipKey, MembershipConfig, Security } from '../../src/core/membership/index.ts'
import { decodeProfile } from '../../src/core/registry/index.ts'
import { programProbe, requirePartner } from '../integration/partners.ts'
import { endAll, startCluster } from '../integration/real-cluster.ts'
import type { RealCluster } from '../integration/real-cluster.ts'
import { startSerf } from './serf-agent.ts'
import type { SerfAgent } from './serf-agent.ts'

const hasSerf = await requirePartner('serf', programProbe('serf', ['version']))

/** serf announces these for its own messages and joins nobody who announces others. */
const membership: MembershipConfig = { ...lanConfig, versions: [1, 5, 2, 2, 5, 4] }

const agents: SerfAgent[] = []

afterEach(async () => {
  await endAll()
  for (const agent of agents.splice(0)) await agent.kill()
})

async function serf(name: string, flags: readonly string[] = []): Promise<SerfAgent> {
  const agent = await startSerf(name, flags)
  agents.push(agent)
  await within(10_000, async () => expect(await agent.statusOf(name)).toBe('alive'))
  return agent
}

async function pair(): Promise<{ readonly ours: RealCluster; readonly theirs: SerfAgent }> {
  const theirs = await serf('serf-1')
  const ours = await startCluster('ours', { membership, seeds: [`127.0.0.1:${theirs.address.port}`] })
  await within(10_000, async () => {
    expect(ours.statusOf('serf-1')).toBe('alive')
    expect(await theirs.statusOf('ours')).toBe('alive')
  })
  return { ours, theirs }
}

function within(timeoutMs: number, check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 50 })
}

describe.skipIf(!hasSerf)('beside a serf agent', () => {
  test('each sees the other alive, stays so, and serf is no agent of ours', async () => {
    const { ours, theirs } = await pair()
    const member = ours.handle.snapshot().members.find(({ name }) => name === 'serf-1')
    expect(decodeProfile(member?.meta ?? new Uint8Array())).toBeUndefined()
    ours.publish({ containerId: 'web' }, { containerId: 'large', reason: 'x'.repeat(3_000) })
    // Several probe rounds of both: a wrong ack would show as a suspicion.
    const probes = ours.handle.stats().probes
    await within(10_000, () => expect(ours.handle.stats().probes).toBeGreaterThan(probes + 4))
    expect(ours.handle.stats()).toMatchObject({ suspicions: 0, refutations: 0, probeFailures: 0 })
    expect(await theirs.statusOf('ours')).toBe('alive')
    expect(theirs.output()).not.toMatch(/Suspect ours|Marking ours/)
  })

  test('serf may join us instead', async () => {
    const ours = await startCluster('ours', { membership })
    const theirs = await serf('serf-1')
    await theirs.join(ours.address)
    await within(5_000, async () => {
      expect(ours.statusOf('serf-1')).toBe('alive')
      expect(await theirs.statusOf('ours')).toBe('alive')
    })
  })

  test('a killed serf is dead to us within 15 s', async () => {
    const { ours, theirs } = await pair()
    await theirs.kill()
    await within(15_000, () => expect(ours.statusOf('serf-1')).toBe('dead'))
  })

  test('when we stop without a word serf takes us for failed within 15 s', async () => {
    const { ours, theirs } = await pair()
    await ours.handle.stop()
    await within(15_000, async () => expect(await theirs.statusOf('ours')).toBe('failed'))
  })

  test('a serf that leaves has left', async () => {
    const { ours, theirs } = await pair()
    await theirs.leave()
    await within(5_000, () => expect(ours.statusOf('serf-1')).toBe('left'))
  })

  test('our leave reaches serf at once, before any probe could fail', async () => {
    const { ours, theirs } = await pair()
    await ours.handle.leave(5_000)
    // serf says `left` only of those who announced it in serf's own messages; memberlist's departure it calls `failed`.
    await within(2_000, async () => expect(await theirs.statusOf('ours')).toBe('failed'))
    expect(theirs.output()).not.toMatch(/Suspect ours/)
  })

  test('three of us and two of them are one cluster', async () => {
    const { ours, theirs } = await pair()
    const second = await serf('serf-2')
    await second.join(theirs.address)
    const seeds = [`127.0.0.1:${second.address.port}`]
    const all = [
      ours,
      await startCluster('ours-2', { membership, seeds }),
      await startCluster('ours-3', { membership, seeds }),
    ]
    const names = ['ours', 'ours-2', 'ours-3', 'serf-1', 'serf-2']
    await within(10_000, async () => {
      for (const node of all) expect(names.map(name => node.statusOf(name))).toEqual(names.map(() => 'alive'))
      for (const agent of [theirs, second])
        expect(await Promise.all(names.map(name => agent.statusOf(name)))).toEqual(names.map(() => 'alive'))
    })
    ours.publish({ containerId: 'web' })
    await within(5_000, () => {
      for (const node of all) expect(node.recordsOf('ours')).toEqual(['i/web'])
    })
  })
})

describe.skipIf(!hasSerf)('beside a serf agent that encrypts', () => {
  const [right, wrong] = [randomBytes(32), randomBytes(32)]
  const encrypting = [`-encrypt=${right.toString('base64')}`]

  function security(...keyring: readonly GossipKey[]): { readonly security: Security } {
    return { security: { cipher: aesGcm(), keyring, verifyIncoming: true, verifyOutgoing: true } }
  }

  test.each([16, 24, 32])('with a key of %i bytes each sees the other alive and stays so', async size => {
    const key = right.subarray(0, size)
    const theirs = await serf('serf-1', [`-encrypt=${key.toString('base64')}`])
    const seeds = [`127.0.0.1:${theirs.address.port}`]
    const ours = await startCluster('ours', { membership, seeds, ports: security(key) })
    await within(10_000, async () => {
      expect(ours.statusOf('serf-1')).toBe('alive')
      expect(await theirs.statusOf('ours')).toBe('alive')
    })
    const probes = ours.handle.stats().probes
    await within(10_000, () => expect(ours.handle.stats().probes).toBeGreaterThan(probes + 4))
    expect(ours.handle.stats()).toMatchObject({ suspicions: 0, refutations: 0, probeFailures: 0 })
    expect(refusalsOf(ours)).toEqual([])
    expect(theirs.output()).not.toMatch(/Suspect ours|Marking ours|\[ERR\] memberlist/)
  })

  test('serf may join us instead, when we have another key besides', async () => {
    const ours = await startCluster('ours', { membership, ports: security(right, wrong) })
    const theirs = await serf('serf-1', encrypting)
    await theirs.join(ours.address)
    await within(5_000, async () => {
      expect(ours.statusOf('serf-1')).toBe('alive')
      expect(await theirs.statusOf('ours')).toBe('alive')
    })
  })

  test.each([
    ['the wrong key', 'badKey', security(wrong)],
    ['no key', 'encrypted', {}],
  ])('with %s neither gets in', async (_, reason, ports) => {
    const theirs = await serf('serf-1', encrypting)
    const seeds = [`127.0.0.1:${theirs.address.port}`]
    const ours = await startCluster('ours', { membership, seeds, ports })
    // Our join fails at their side, theirs at ours.
    await within(10_000, () => expect(theirs.output()).toMatch(/\[ERR\] memberlist: failed to receive/))
    await expect(theirs.join(ours.address)).rejects.toThrow()
    expect(refusalsOf(ours)).toContain(reason)
    expect(ours.statusOf('serf-1')).toBeUndefined()
    expect(await theirs.statusOf('ours')).toBeUndefined()
  })
})

function refusalsOf({ log }: RealCluster): readonly unknown[] {
  return log.lines.filter(({ message }) => message === 'gossip refused').map(({ fields }) => fields['reason'])
}
