/**
 * Same value, same bytes: object keys in code-unit order at every depth, `undefined` members left out, arrays as they are.
 * Traefik reloads on any changed byte, so everything it polls goes through here. Do not pass class instances or cycles.
 */
import { byText } from './units.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** `indent` in blanks, 0 for one line. Text is escaped as JSON.stringify does it. */
export function stableJson(value: Json, indent = 0): string {
  return indent === 0 ? compact(value) : indented(value, indent, '\n')
}

/** What is in order already goes to the engine's own writer, in half the time: makers of large documents fill in order. */
function compact(value: Json): string {
  if (isOrdered(value)) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(compact).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  let text = ''
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${compact(member)}`
  }
  return `{${text}}`
}

/** At every depth. Keys that look like numbers come first in any object, so one among others may never be in order. */
function isOrdered(value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (isList(value)) return value.every(isOrdered)
  let before = ''
  for (const key of Object.keys(value)) {
    if (key < before || !isOrdered(value[key])) return false
    before = key
  }
  return true
}

/** For people; `line` is a line break and the blanks of the level. */
function indented(value: Json, indent: number, line: string): string {
  const deeper = line + ' '.repeat(indent)
  if (isList(value)) {
    const items = value.map(item => deeper + indented(item, indent, deeper))
    return items.length === 0 ? '[]' : `[${items.join(',')}${line}]`
  }
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.entries(value)
    .sort(([a], [b]) => byText(a, b))
    .flatMap(([key, member]) =>
      member === undefined ? [] : [`${deeper}${JSON.stringify(key)}: ${indented(member, indent, deeper)}`],
    )
  return members.length === 0 ? '{}' : `{${members.join(',')}${line}}`
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function isObject(value: Json): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
