/** What each source claims: file, environment and flags become the same kind of claim. Names nobody knows are complained about. */
import type { Complaint, Origin } from './complaint.ts'
import type { Fields } from './field.ts'
import type { ConfigFile, Path } from './file.ts'
import { environmentPrefix, isField, type Leaf } from './leaves.ts'
import { nearest } from './nearest.ts'

export interface Claim {
  readonly leaf: Leaf
  /** Not checked yet. */
  readonly raw: unknown
  readonly origin: Origin
  /** Where a part of the value is; a file knows it to the line. */
  readonly positionOf: (part: Path) => string
}

export function claimsOfFile(
  tree: Fields,
  known: readonly Leaf[],
  file: ConfigFile,
  complaints: Complaint[],
): readonly Claim[] {
  const claims: Claim[] = []

  function walk(section: Fields, content: unknown, path: readonly string[]): void {
    if (content === null || content === undefined) return
    if (typeof content !== 'object' || Array.isArray(content)) {
      const what = `${path.length === 0 ? 'the file' : path.join('.')} must be a section with settings in it`
      complaints.push({ where: file.positionOf(path), what })
      return
    }
    for (const [key, value] of Object.entries(content)) {
      const here = [...path, key]
      const entry = Object.hasOwn(section, key) ? section[key] : undefined
      if (entry === undefined)
        complaints.push({ where: file.positionOf(here), what: unknownKey(here, Object.keys(section), known) })
      else if (!isField(entry)) walk(entry, value, here)
      // An empty value in YAML means that nothing was said.
      else if (value !== null && value !== undefined) claims.push(claimAt(here, value))
    }
  }

  function claimAt(path: readonly string[], raw: unknown): Claim {
    const leaf = known.find(leaf => leaf.path === path.join('.'))
    if (leaf === undefined) throw new RangeError(`no field at ${path.join('.')}`)
    const positionOf = (part: Path): string => file.positionOf([...path, ...part])
    return { leaf, raw, origin: { kind: 'file', where: positionOf([]) }, positionOf }
  }

  walk(tree, file.content, [])
  return claims
}

function unknownKey(path: readonly string[], siblings: readonly string[], known: readonly Leaf[]): string {
  const key = path.at(-1) ?? ''
  const above = path.slice(0, -1)
  const sibling = nearest(key, siblings)
  const elsewhere = known.find(leaf => leaf.path.split('.').at(-1) === key)?.path
  const meant = sibling === undefined ? elsewhere : [...above, sibling].join('.')
  return `there is no setting "${path.join('.')}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`
}

export function claimsOfEnvironment(
  known: readonly Leaf[],
  env: Readonly<Record<string, string | undefined>>,
  complaints: Complaint[],
): readonly Claim[] {
  const names = known.flatMap(leaf => leaf.env)
  const mistyped = Object.keys(env)
    .filter(name => name.startsWith(environmentPrefix) && name !== `${environmentPrefix}CONFIG`)
    .filter(name => !names.includes(name))
  for (const name of mistyped) {
    const meant = nearest(name, names)
    const what = `no setting has this name${meant === undefined ? '' : `; did you mean ${meant}?`}`
    complaints.push({ where: `environment ${name}`, what })
  }
  return known.flatMap(leaf => {
    // Unset and empty are the same: compose files pass `NAME=` for what the operator left out.
    const said = leaf.env.filter(name => (env[name] ?? '') !== '').reverse()
    return said.map(name => claimOfText(leaf, env[name] ?? '', { kind: 'environment', name }, `environment ${name}`))
  })
}

export function claimsOfFlags(
  known: readonly Leaf[],
  flags: Readonly<Record<string, string>>,
  complaints: Complaint[],
): readonly Claim[] {
  const names = known.flatMap(leaf => leaf.field.flag ?? [])
  return Object.entries(flags)
    .filter(([name]) => name !== '--config')
    .flatMap(([name, text]) => {
      const leaf = known.find(leaf => leaf.field.flag === name)
      if (leaf !== undefined) return [claimOfText(leaf, text, { kind: 'flag', name }, `flag ${name}`)]
      const meant = nearest(name, names)
      const what = `there is no such flag${meant === undefined ? '' : `; did you mean ${meant}?`}`
      complaints.push({ where: `flag ${name}`, what })
      return []
    })
}

function claimOfText(leaf: Leaf, text: string, origin: Origin, where: string): Claim {
  return { leaf, raw: leaf.field.fromText?.(text) ?? text, origin, positionOf: () => where }
}
