/**
 * Brings the sources of the configuration together: default < file < environment < flag. Every fault of every source is
 * found before anything is said, and a value of lower precedence is checked too: it is wrong even while it is overridden.
 * The result is frozen and knows the origin of each value.
 */
import { describeError } from '../kernel/errors.ts'
import type { Interfaces } from './mesh-address.ts'
import { fields, isEveryAddress, type Config } from './config.ts'
import { ConfigInvalid, describeOrigin, type Complaint, type Origin } from './config/complaint.ts'
import { isDerived, type Surroundings } from './config/field.ts'
import { readConfigFile, type FileAccess } from './config/file.ts'
import { leaves, type Leaf } from './config/leaves.ts'
import { claimsOfEnvironment, claimsOfFile, claimsOfFlags, type Claim } from './config/sources.ts'
import { complaintsAbout } from './config/verdict.ts'

export { ConfigInvalid } from './config/complaint.ts'

export interface ConfigSources extends FileAccess {
  /** By long option, `--bind-port`; what the command line said, unchecked. */
  readonly flags: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly hostName: string
  readonly interfaces: Interfaces
}

export interface Setting {
  readonly leaf: Leaf
  readonly value: unknown
  readonly origin: Origin
}

export interface LoadedConfig {
  readonly config: Config
  /** The file that was read, if any. */
  readonly file: string | undefined
  /** In the order of the tree. */
  readonly settings: readonly Setting[]
}

/** Rejects with ConfigInvalid, which lists every complaint. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const complaints: Complaint[] = []
  const all = leaves(fields)
  const named = sources.flags['--config'] ?? sources.env['CONSTELLATION_CONFIG']
  const file = await readConfigFile(named === '' ? undefined : named, sources, complaints)
  const claims = [
    ...(file === undefined ? [] : claimsOfFile(fields, all, file, complaints)),
    ...claimsOfEnvironment(all, sources.env, complaints),
    ...claimsOfFlags(all, sources.flags, complaints),
  ]
  const settings = settle(all, claims, sources, complaints)
  complaints.push(...contradictions(settings))
  if (complaints.length > 0) throw new ConfigInvalid(complaints)
  return { config: frozen(settings), file: file?.file, settings }
}

/** The last claim that passes its schema wins; without one the default does. */
function settle(
  all: readonly Leaf[],
  claims: readonly Claim[],
  sources: ConfigSources,
  complaints: Complaint[],
): readonly Setting[] {
  const settled = new Map<string, Setting>()
  const surroundings: Surroundings = { ...sources, valueOf: path => settled.get(path)?.value }
  for (const leaf of all) {
    let winner: Setting | undefined
    for (const claim of claims.filter(claim => claim.leaf === leaf)) {
      const verdict = leaf.field.schema.safeParse(claim.raw)
      if (verdict.success) winner = { leaf, value: verdict.data, origin: claim.origin }
      else complaints.push(...complaintsAbout(claim, verdict.error.issues))
    }
    settled.set(leaf.path, winner ?? byDefault(leaf, surroundings, complaints))
  }
  return [...settled.values()]
}

function byDefault(leaf: Leaf, surroundings: Surroundings, complaints: Complaint[]): Setting {
  const { fallback } = leaf.field
  if (!isDerived(fallback)) return { leaf, value: fallback, origin: { kind: 'default' } }
  const origin: Origin = { kind: 'default', rule: fallback.rule }
  try {
    return { leaf, value: fallback.derive(surroundings), origin }
  } catch (error) {
    complaints.push({ where: describeOrigin(origin), what: `${leaf.path} must be set: ${describeError(error)}` })
    return { leaf, value: undefined, origin }
  }
}

/** Settings that are well by themselves and cannot stand together. */
function contradictions(settings: readonly Setting[]): readonly Complaint[] {
  const byPath = new Map(settings.map(setting => [setting.leaf.path, setting]))
  const found: Complaint[] = []
  const ports = ['gossip.bindPort', 'raft.port', 'api.port', 'provider.port', 'proxy.port']
  const takenBy = new Map<unknown, Setting>()
  for (const setting of ports.flatMap(path => byPath.get(path) ?? [])) {
    const first = takenBy.get(setting.value)
    if (first === undefined) takenBy.set(setting.value, setting)
    else
      found.push({
        where: describeOrigin(setting.origin),
        what: `${setting.leaf.path} is ${String(setting.value)}, which ${first.leaf.path} already has (${describeOrigin(first.origin)})`,
      })
  }
  const advertised = byPath.get('gossip.advertiseAddr')
  if (advertised !== undefined && isEveryAddress(String(advertised.value)))
    found.push({
      where: describeOrigin(byPath.get('gossip.bindAddr')?.origin ?? advertised.origin),
      what: `gossip.advertiseAddr is ${String(advertised.value)}, where no peer can reach this node; set it to an address of its own`,
    })
  if (byPath.get('redis.password')?.value !== undefined && byPath.get('redis.passwordFile')?.value !== undefined)
    found.push({
      where: describeOrigin(byPath.get('redis.passwordFile')?.origin ?? { kind: 'default' }),
      what: 'redis.password and redis.passwordFile are both set; which one holds is not guessed, keep one',
    })
  const [incoming, outgoing] = [byPath.get('gossip.verifyIncoming'), byPath.get('gossip.verifyOutgoing')]
  if (incoming?.value === true && outgoing?.value === false)
    found.push({
      where: describeOrigin(outgoing.origin),
      what: 'gossip.verifyOutgoing is off and gossip.verifyIncoming is on: nodes would refuse what they send each other; switch both off, or the other one',
    })
  return found
}

function frozen(settings: readonly Setting[]): Config {
  const root: Record<string, unknown> = {}
  for (const { leaf, value } of settings) {
    const sections = leaf.path.split('.')
    const last = sections.pop() ?? ''
    let section = root
    // Only this function makes the sections, so what is there is a record.
    for (const name of sections) section = (section[name] ??= {}) as Record<string, unknown>
    section[last] = value
  }
  // Every leaf of the tree was settled by its own schema or default, so the nest of them has the tree's shape.
  return deepFrozen(root) as unknown as Config
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFrozen(member)
  return Object.freeze(value)
}
