/**
 * One run of the gossip suite: trouble for a while, then peace, in which all must come to agree. The result depends on the
 * seed and the options alone.
 */
import { createHash } from 'node:crypto'
import type { ClusterOutput } from '../../src/core/cluster/index.ts'
import { formatAddress } from '../../src/kernel/units.ts'
import type { Millis } from '../../src/kernel/units.ts'
import { authoritiesOf } from '../../src/testing/sim/authority.ts'
import type { SeedOptions, SeedResult, Violation } from '../suite.ts'
import { disagreement } from './agreement.ts'
import { gossipInvariants } from './invariants/all.ts'
import { gossipOptions } from './options.ts'
import { planTroubles } from './plan.ts'
import { heal, scheduleTroubles } from './troubles.ts'
import { createWorld } from './world.ts'
import type { World } from './world.ts'
import { scheduleWorkload } from './workload.ts'

/** All must agree this long after peace has come. */
const peaceMsMax: Millis = 60_000
/** Large clusters exchange whole states more rarely. */
const peaceMsMaxLarge: Millis = 180_000
const lookMs: Millis = 250
const lookMsLarge: Millis = 2_000
/** They must still agree after this. */
const afterglowMs: Millis = 2_000
const largeFrom = 50
const sameViolationsMax = 3

export function runGossipSeed(seed: number, { nodes, trace }: SeedOptions = {}): SeedResult {
  const drawn = authoritiesOf(seed)
  const options = gossipOptions(drawn('options'), nodes)
  const plan = planTroubles(drawn('faults'), options)
  const digest = createHash('sha256')
  const violations: Violation[] = []

  const world = createWorld(seed, options, (agent, output) => {
    const head = `${world.time.now()} ${agent.host.name} ${output.kind}`
    const [text, bytes] = describe(output)
    digest.update(`${head} ${text}\n`)
    if (bytes !== undefined) digest.update(bytes)
    trace?.(`${head} ${text}${bytes === undefined ? '' : ` ${bytes.length} bytes`}`)
  })
  const tell = (line: string): void => {
    digest.update(`${world.time.now()} ${line}\n`)
    trace?.(`${world.time.now()} ${line}`)
  }
  const report = (invariant: string, node: string, details: string): void => {
    tell(`violation ${invariant} ${node} ${details}`)
    if (violations.filter(violation => violation.invariant === invariant).length >= sameViolationsMax) return
    const replay = `npm run sim -- gossip --seed ${seed}${nodes === undefined ? '' : ` --nodes ${nodes}`}`
    violations.push({ seed, atMs: world.time.now(), node, invariant, details, replay })
  }

  for (const invariant of gossipInvariants)
    world.watches.push(invariant.watch(world, (node, details) => report(invariant.name, node, details)))
  scheduleTroubles(world, plan, tell)
  scheduleWorkload(world, options.safetyMs)
  run(world, options.safetyMs)
  tell('peace')
  heal(world)
  const trouble = makePeace(world)
  if (trouble !== undefined) report('agreement', trouble.split(' ')[0] ?? 'all', trouble)
  const views = world.views()
  for (const watch of world.watches) watch.onFinish?.(views)

  return {
    seed,
    violations,
    events: world.time.events,
    virtualMs: world.time.now(),
    digest: digest.digest('hex'),
    options: { ...options, troubles: plan.length },
  }
}

function run(world: World, byMs: Millis): void {
  const { time, watches, options } = world
  const end = time.now() + byMs
  const stepMs = options.nodes >= largeFrom ? lookMsLarge : lookMs
  while (time.now() < end) {
    time.run(Math.min(stepMs, end - time.now()))
    const now = world.views()
    for (const watch of watches) watch.onLook?.(now)
  }
}

/** Undefined, or on what they still did not agree. */
function makePeace(world: World): string | undefined {
  const isLarge = world.options.nodes >= largeFrom
  const stepMs = isLarge ? lookMsLarge : lookMs
  const withinMs = isLarge ? peaceMsMaxLarge : peaceMsMax
  for (let leftMs = withinMs; leftMs > 0; leftMs -= stepMs) {
    run(world, stepMs)
    if (disagreement(world.views()) !== undefined) continue
    run(world, afterglowMs)
    if (disagreement(world.views()) === undefined) return undefined
  }
  return disagreement(world.views())
}

function describe(output: ClusterOutput): readonly [text: string, bytes?: Uint8Array] {
  if (output.kind === 'sendPacket') return [formatAddress(output.to), output.bytes]
  if (output.kind === 'writeStream') return [output.stream, output.bytes]
  if (output.kind === 'memberChanged') {
    const { name, status, incarnation } = output.member
    return [`${name} ${output.previous ?? 'unknown'} -> ${status} at ${incarnation}`]
  }
  if (output.kind !== 'sectionChanged') return [JSON.stringify(output)]
  const changes = output.changes.map(({ key, record }) =>
    record === undefined ? `-${key}` : `${key}@${record.version.epoch}.${record.version.revision} ${record.body.kind}`,
  )
  return [`${output.owner} ${changes.join(', ')}`]
}
