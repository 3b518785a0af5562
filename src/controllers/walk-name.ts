/** How people name a walk: `shop:web@node-a#8` is whole, `web@node-a` means the newest of it. */

export type WalkLookup<W> =
  | { readonly kind: 'found'; readonly walk: W }
  /** What there is instead, the newest first. */
  | { readonly kind: 'absent'; readonly known: readonly string[] }
  /** Several projects have a service of that name; these are the walks it may mean. */
  | { readonly kind: 'ambiguous'; readonly keys: readonly string[] }

/** As many as fit an answer that somebody reads. */
const namedMax = 20

/** `keys`: the newest first. */
export function findWalk(text: string, keys: readonly string[]): WalkLookup<string> {
  const named = keys.filter(key => key === text || withoutRevision(key) === text)
  const loosely = named.length > 0 ? named : keys.filter(key => isShort(text, key))
  const [newest] = loosely
  if (newest === undefined) return { kind: 'absent', known: keys.slice(0, namedMax) }
  const places = new Set(loosely.map(withoutRevision))
  if (places.size === 1) return { kind: 'found', walk: newest }
  return { kind: 'ambiguous', keys: loosely.slice(0, namedMax) }
}

/** Node names and service ids have no `#`. */
function withoutRevision(key: string): string {
  return key.slice(0, key.lastIndexOf('#'))
}

/** A service id is `project:service`; people say the second half. */
function isShort(text: string, key: string): boolean {
  return key.endsWith(`:${text}`) || withoutRevision(key).endsWith(`:${text}`)
}
