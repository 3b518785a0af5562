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

/** Written straight into text: sorting into a copy first costs a second walk and a second tree, and documents are large. */
function compact(value: Json): string {
  if (isList(value)) {
    let text = '['
    for (const [index, item] of value.entries()) text += index === 0 ? compact(item) : `,${compact(item)}`
    return `${text}]`
  }
  if (!isObject(value)) return JSON.stringify(value)
  let text = ''
  for (const key of Object.keys(value).sort(byText)) {
    const member = value[key]
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${compact(member)}`
  }
  return `{${text}}`
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
