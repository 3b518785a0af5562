/**
 * Sections of the document for people and their tools, each a map keyed by name. Traefik's own API has resources of the
 * same names with another shape; Traefik never reads these from a provider, and must be pointed at the document itself.
 */
import { createHash } from 'node:crypto'
import type { TraefikDocument } from '../controllers/handles.ts'

export interface SectionView {
  readonly body: string
  /** Strong validator over the bytes. */
  readonly etag: string
}

const sections: Readonly<Record<string, readonly [protocol: string, section: string]>> = {
  '/api/http/routers': ['http', 'routers'],
  '/api/http/services': ['http', 'services'],
  '/api/http/middlewares': ['http', 'middlewares'],
  '/api/http/serversTransports': ['http', 'serversTransports'],
  '/api/tcp/routers': ['tcp', 'routers'],
  '/api/tcp/services': ['tcp', 'services'],
  '/api/tcp/middlewares': ['tcp', 'middlewares'],
  '/api/tcp/serversTransports': ['tcp', 'serversTransports'],
  '/api/udp/routers': ['udp', 'routers'],
  '/api/udp/services': ['udp', 'services'],
}

export interface SectionViews {
  has(path: string): boolean
  /** Undefined when `path` is no section. */
  at(path: string, document: TraefikDocument): SectionView | undefined
}

/** Keeps what it made until the document changes. */
export function createSectionViews(): SectionViews {
  const made = new Map<string, SectionView>()
  let generation: number | undefined
  let parsed: unknown
  return {
    has: path => Object.hasOwn(sections, path),
    at(path, document) {
      const section = Object.hasOwn(sections, path) ? sections[path] : undefined
      if (section === undefined) return undefined
      if (generation !== document.generation) {
        made.clear()
        parsed = JSON.parse(document.json)
        generation = document.generation
      }
      const view = made.get(path) ?? viewOf(memberOf(memberOf(parsed, section[0]), section[1]))
      made.set(path, view)
      return view
    },
  }
}

/** The document left empty sections out; as a view an empty section is `{}`. */
function viewOf(section: unknown): SectionView {
  const body = JSON.stringify(section ?? {})
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

/** RFC 9110 13.1.2: a list of validators or `*`, compared weakly. */
export function isNoneMatch(header: string | undefined, etag: string): boolean {
  const validators = (header ?? '').split(',').map(item => item.trim().replace(/^W\//, ''))
  return validators.includes('*') || validators.includes(etag)
}
