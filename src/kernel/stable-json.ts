/**
 * Same value, same bytes: object keys in code-unit order at every depth, `undefined` members left out, arrays as they are.
 * Traefik reloads on any changed byte, so everything it polls goes through here. Do not pass class instances or cycles.
 */
import { byText } from './units.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export function stableJson(value: Json, indent = 0): string {
  return JSON.stringify(sorted(value), null, indent)
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined)
  // A null prototype keeps a key named `__proto__` an ordinary key.
  const target = Object.create(null) as Record<string, Json>
  for (const [key, member] of entries.sort(([a], [b]) => byText(a, b))) target[key] = sorted(member)
  return target
}
