/** The tree of fields as a list, with the names derived from each place in it. */
import type { Field, Fields } from './field.ts'

export interface Leaf {
  /** `gossip.bindPort` */
  readonly path: string
  readonly field: Field
  /** Environment names in order of precedence; the derived `CONSTELLATION_GOSSIP_BIND_PORT` is first. */
  readonly env: readonly string[]
}

export const environmentPrefix = 'CONSTELLATION_'

export function isField(entry: Field | Fields): entry is Field {
  return entry['isField'] === true
}

export function leaves(tree: Fields, prefix = ''): readonly Leaf[] {
  return Object.entries(tree).flatMap(([key, entry]) => {
    const path = prefix + key
    if (!isField(entry)) return leaves(entry, `${path}.`)
    const derived = entry.fromText === undefined ? [] : [environmentName(path)]
    return [{ path, field: entry, env: [...derived, ...(entry.env ?? [])] }]
  })
}

function environmentName(path: string): string {
  const words = path.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll('.', '_')
  return environmentPrefix + words.toUpperCase()
}
