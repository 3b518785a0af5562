/**
 * The last look at the bytes before Traefik gets them. Traefik remembers a body before it decodes it, so one that does not
 * decode is reported once and then skipped in silence: the agent cannot rely on being told, and judges first.
 */
import { decodeDocument } from './decode.ts'
import type { DocumentProblem, ProblemReason } from './document-problem.ts'
import { firstRelease } from './field-table.ts'
import type { Release } from './field-table.ts'
import { readJson } from './json-reader.ts'
import type { JsonNode, JsonObject } from './json-reader.ts'
import { referenceProblems } from './references.ts'

export interface DocumentVerdict {
  /** It decodes, every part of it works, and it does not take all routes away: it may be served. */
  readonly ok: boolean
  /** Traefik would accept it, though parts may be in error. */
  readonly decodes: boolean
  readonly problems: readonly DocumentProblem[]
  /** Decodes, and has no router: Traefik would drop every route it had from us. */
  readonly effect?: 'removesAllRoutes'
}

export interface ValidateOptions {
  /** Fields that came later are unknown to it. */
  readonly release?: Release
}

export function validateTraefikDocument(body: string, options: ValidateOptions = {}): DocumentVerdict {
  if (body.trim() === '') return { ok: false, decodes: true, problems: [], effect: 'removesAllRoutes' }
  const read = readJson(body)
  if (!read.ok)
    return refused(looksLikeJson(body) ? 'syntax' : 'not-a-map', `${read.error.message} at ${read.error.at}`)
  if (read.value === null) return { ok: false, decodes: true, problems: [], effect: 'removesAllRoutes' }
  if (!isObject(read.value)) return refused('not-a-map', 'the document is not an object')
  const { tree, problems } = decodeDocument(read.value, options.release ?? firstRelease)
  if (problems.length > 0) return { ok: false, decodes: false, problems }
  if (!hasRouter(tree)) return { ok: false, decodes: true, problems, effect: 'removesAllRoutes' }
  const inError = referenceProblems(tree)
  return { ok: inError.length === 0, decodes: true, problems: inError }
}

function refused(reason: ProblemReason, detail: string): DocumentVerdict {
  return { ok: false, decodes: false, problems: [{ path: '', reason, detail }] }
}

/** Anything else is a YAML scalar to Traefik: an error page, say. */
function looksLikeJson(body: string): boolean {
  return /^\s*[{["]/.test(body)
}

function hasRouter(tree: JsonObject): boolean {
  return ['http', 'tcp', 'udp'].some(protocol => {
    const section = tree.get(protocol)
    const routers = section instanceof Map ? section.get('routers') : undefined
    return routers instanceof Map && routers.size > 0
  })
}

function isObject(value: JsonNode): value is JsonObject {
  return value instanceof Map
}
