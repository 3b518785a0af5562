/** Keys of whole clusters, changed while they run: on virtual time and a simulated network, with the real cipher. */
import { afterEach, expect, test } from 'vitest'
import { memoryStateFiles } from '../adapters/memory/state-files.ts'
import { aesGcm } from '../adapters/node/aes-gcm.ts'
import { keyFingerprint } from '../adapters/node/key-fingerprint.ts'
import type { KeyOperation } from '../core/cluster/index.ts'
import type { Keyring } from '../core/membership/index.ts'
import { createPrng } from '../kernel/prng.ts'
import { nodeName } from '../kernel/units.ts'
import type { Address } from '../kernel/units.ts'
import { aProfile } from '../testing/builders.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { recordingMetrics } from '../testing/recording-metrics.ts'
import { createSimNetwork } from '../testing/sim/network.ts'
import { simSockets } from '../testing/sim/sockets.ts'
import { createSimTime } from '../testing/sim/time.ts'
import { settle } from '../testing/virtual-clock.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import type { KeyOutcome } from './cluster-keys.ts'
import { createCluster } from './cluster.ts'
import { createKeyringFile } from './keyring-file.ts'

const keyOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const [old, fresh, other] = [keyOf(1), keyOf(2), keyOf(3)]
const [oldName, freshName] = [keyFingerprint(old), keyFingerprint(fresh)]
const install: KeyOperation = { kind: 'install', key: fresh }
const use: KeyOperation = { kind: 'use', fingerprint: freshName }
const remove: KeyOperation = { kind: 'remove', fingerprint: oldName }

const running: ClusterHandle[] = []

afterEach(() => Promise.all(running.splice(0).map(cluster => cluster.stop())))

interface NodeOptions {
  readonly keyring?: Keyring
  readonly verify?: boolean
  /** Its disk takes nothing. */
  readonly diskFull?: boolean
}

function lab(seed: number) {
  const time = createSimTime()
  const network = createSimNetwork(time, createPrng(seed), { latencyMs: [1, 20], loss: 0.02 })

  async function start(name: string, last: number, options: NodeOptions = {}) {
    const { keyring = [old], verify = true, diskFull = false } = options
    const address: Address = { ip: `10.0.0.${last}`, port: 7946 }
    const [log, metrics, memory] = [recordingLog(), recordingMetrics(), memoryStateFiles()]
    const files = diskFull ? { ...memory, write: () => Promise.reject(new Error('no space left')) } : memory
    const file = createKeyringFile({ files, name: 'ring.json', firstKey: undefined, log })
    const security = { cipher: aesGcm(), keyring, verifyIncoming: verify, verifyOutgoing: verify }
    const handle = createCluster(
      { name: nodeName(name), bind: address, advertise: address, seeds: ['10.0.0.1'], profile: aProfile() },
      {
        clock: time,
        ...simSockets(network),
        stateFiles: memoryStateFiles(),
        log,
        metrics,
        seed: seed * 100 + last,
        resolveSeed: ip => Promise.resolve([{ ip, port: 7946 }]),
        keyKeeper: { fingerprint: keyFingerprint, keep: changed => file.keep(changed) },
        ...(keyring.length === 0 ? {} : { security }),
      },
    )
    running.push(handle)
    await handle.start()
    await settle()
    const statusOf = (member: string): string | undefined =>
      handle.snapshot().members.find(known => known.name === member)?.status
    return { name, address, handle, log, metrics, statusOf, kept: () => file.load() }
  }

  /** Disks and streams take turns until it is answered. */
  async function change(node: LabNode, operation: KeyOperation): Promise<KeyOutcome> {
    const outcomes: KeyOutcome[] = []
    void node.handle.keys(operation, 5_000).then(outcome => outcomes.push(outcome))
    for (;;) {
      const [outcome] = outcomes
      if (outcome !== undefined) return outcome
      time.run(10)
      await settle()
    }
  }

  return { time, network, start, change }
}

type Lab = ReturnType<typeof lab>
type LabNode = Awaited<ReturnType<Lab['start']>>

const names = ['a', 'b', 'c', 'd', 'e']

async function five(here: Lab, optionsOf: (name: string) => NodeOptions = () => ({})): Promise<readonly LabNode[]> {
  const nodes: LabNode[] = []
  for (const [i, name] of names.entries()) nodes.push(await here.start(name, i + 1, optionsOf(name)))
  expect(here.time.runUntil(() => allAlive(nodes), 10_000)).toBe(true)
  return nodes
}

const allAlive = (nodes: readonly LabNode[]): boolean =>
  nodes.every(node => nodes.every(({ name }) => node.statusOf(name) === 'alive'))

function named(nodes: readonly LabNode[]): readonly [LabNode, LabNode, LabNode, LabNode, LabNode] {
  const [a, b, c, d, e] = nodes
  if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined)
    throw new Error('there are five nodes')
  return [a, b, c, d, e]
}

/** `node: fingerprints`, or what was in the way. */
function inWords({ nodes }: KeyOutcome): readonly string[] {
  return nodes.map(outcome => {
    if (outcome.kind === 'silent') return `${outcome.node}: silent`
    if (outcome.kind === 'notAsked') return `${outcome.node}: not asked, ${outcome.reason}`
    const { fingerprints, problem } = outcome.reply
    return `${outcome.node}: ${fingerprints.join(' ')}${problem === undefined ? '' : ` (${problem})`}`
  })
}

const everyNode = (fingerprints: string): readonly string[] => names.map(name => `${name}: ${fingerprints}`)

test.each([1, 2, 3])(
  'a key is rotated live, from any node, and nobody is suspected meanwhile (seed %i)',
  async seed => {
    const here = lab(seed)
    const nodes = await five(here)
    const [a, b, c] = named(nodes)
    const heard = (reason: string): number =>
      nodes.reduce((sum, { metrics }) => sum + metrics.value('constellation_gossip_refused_total', { reason }), 0)
    expect(inWords(await here.change(a, { kind: 'list' }))).toEqual(everyNode(oldName))
    expect(inWords(await here.change(a, install))).toEqual(everyNode(`${oldName} ${freshName}`))
    here.time.run(5_000)
    expect(inWords(await here.change(b, use))).toEqual(everyNode(`${freshName} ${oldName}`))
    here.time.run(5_000)
    expect(inWords(await here.change(c, remove))).toEqual(everyNode(freshName))
    here.time.run(60_000)
    expect(allAlive(nodes)).toBe(true)
    expect(nodes.flatMap(({ log }) => log.lines.filter(({ message }) => message === 'member suspect'))).toEqual([])
    for (const node of nodes) expect(await node.kept()).toEqual([fresh])
    expect([heard('badKey'), heard('plaintext'), heard('malformed')]).toEqual([0, 0, 0])
  },
)

test('a node with the old key alone is not heard after the rotation, and is heard with the new one', async () => {
  const here = lab(4)
  const nodes = await five(here)
  const [a] = named(nodes)
  for (const operation of [install, use, remove]) await here.change(a, operation)
  const late = await here.start('late', 6, { keyring: [old] })
  here.time.run(10_000)
  expect(a.statusOf('late')).toBeUndefined()
  expect(a.metrics.value('constellation_gossip_refused_total', { reason: 'badKey' })).toBeGreaterThan(0)
  await late.handle.stop()
  const again = await here.start('late', 6, { keyring: [fresh] })
  expect(here.time.runUntil(() => allAlive([...nodes, again]), 10_000)).toBe(true)
})

test('a disk that takes nothing is a refusal of its node, and that node goes on with the ring it had', async () => {
  const here = lab(5)
  const nodes = await five(here, name => ({ diskFull: name === 'd' }))
  const [a] = named(nodes)
  const outcome = await here.change(a, install)
  expect(inWords(outcome)).toEqual(
    names.map(name =>
      name === 'd' ? `d: ${oldName} (the keyring was not changed: no space left)` : `${name}: ${oldName} ${freshName}`,
    ),
  )
  expect(nodes.map(({ metrics }) => metrics.value('constellation_gossip_keys'))).toEqual([2, 2, 2, 1, 2])
  here.time.run(30_000)
  expect(allAlive(nodes)).toBe(true)
})

test('who is dead or silent is named', async () => {
  const here = lab(6)
  const nodes = await five(here)
  const [a, b, , d, e] = named(nodes)
  await e.handle.stop()
  expect(here.time.runUntil(() => a.statusOf('e') === 'dead', 60_000)).toBe(true)
  here.network.cut(d.address.ip, a.address.ip)
  here.network.cut(a.address.ip, d.address.ip)
  const began = here.time.now()
  expect(inWords(await here.change(a, { kind: 'list' }))).toEqual([
    `a: ${oldName}`,
    `b: ${oldName}`,
    `c: ${oldName}`,
    'd: silent',
    'e: not asked, it is dead',
  ])
  expect(here.time.now() - began).toBeLessThan(5_100)
  expect(b.statusOf('d')).toBe('alive')
})

test('without keys nothing can be installed, and no key is sent to anybody', async () => {
  const here = lab(7)
  const nodes = await five(here, () => ({ keyring: [] }))
  const [a] = named(nodes)
  const sent = (): number => a.metrics.value('constellation_gossip_bytes_total', { direction: 'sent' })
  const before = sent()
  const [own, ...others] = inWords(await here.change(a, install))
  expect(own).toContain('gossip.key')
  expect(others).toEqual(['b', 'c', 'd', 'e'].map(name => `${name}: not asked, this node refused it first`))
  expect(sent() - before).toBeLessThan(1_000)
})

test('while keys are being introduced they are listed, not changed', async () => {
  const here = lab(8)
  const nodes = await five(here, name => ({ verify: false, ...(name === 'e' ? { keyring: [] } : {}) }))
  const [a] = named(nodes)
  const listed = inWords(await here.change(a, { kind: 'list' }))
  expect(listed.slice(0, 4)).toEqual(everyNode(oldName).slice(0, 4))
  expect(listed[4]).toContain('gossip is in clear here')
  expect(inWords(await here.change(a, install))[0]).toContain('gossip.verifyIncoming')
})

test('a node with another key never becomes a member, whichever it is', async () => {
  const here = lab(9)
  const nodes = await five(here)
  const stranger = await here.start('stranger', 6, { keyring: [other] })
  const clear = await here.start('clear', 7, { keyring: [] })
  here.time.run(30_000)
  for (const node of nodes) expect([node.statusOf('stranger'), node.statusOf('clear')]).toEqual([undefined, undefined])
  expect([...stranger.handle.snapshot().members, ...clear.handle.snapshot().members].map(({ name }) => name)).toEqual([
    'stranger',
    'clear',
  ])
  const [a] = named(nodes)
  for (const reason of ['badKey', 'plaintext'])
    expect(a.metrics.value('constellation_gossip_refused_total', { reason })).toBeGreaterThan(0)
})

test('gossip that cannot be read for want of a key is warned of once a minute, however often it comes', async () => {
  const here = lab(11)
  const [a] = named(await five(here))
  for (const last of [6, 7, 8]) await here.start(`stranger${last}`, last, { keyring: [other] })
  await here.start('clear', 9, { keyring: [] })
  here.time.run(50_000)
  const warnings = a.log.lines.filter(({ level, fields }) => level === 'warn' && 'reason' in fields)
  expect(warnings).toHaveLength(2)
  expect(new Set(warnings.map(({ fields }) => fields['reason']))).toEqual(new Set(['badKey', 'plaintext']))
  expect(a.metrics.value('constellation_gossip_refused_total', { reason: 'badKey' })).toBeGreaterThan(1)
})

test('a cluster that stops lets nobody wait', async () => {
  const here = lab(10)
  const [a] = await five(here)
  const asked = a?.handle.keys({ kind: 'list' }, 60_000)
  await a?.handle.stop()
  expect((await asked)?.nodes).toHaveLength(5)
})
