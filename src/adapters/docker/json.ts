/**
 * Reading JSON of an engine we do not control: every accessor has an answer for a field that is missing or of another
 * type, so that one odd container cannot stop the rest from being seen.
 */
export type JsonObject = Readonly<Record<string, unknown>>

const nothing: JsonObject = Object.freeze({})

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key]
  return isObject(value) ? value : nothing
}

export function listAt(parent: JsonObject, key: string): readonly unknown[] {
  const value = parent[key]
  return Array.isArray(value) ? value : []
}

export function textAt(parent: JsonObject, key: string): string {
  const value = parent[key]
  return typeof value === 'string' ? value : ''
}

export function numberAt(parent: JsonObject, key: string): number | undefined {
  const value = parent[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
