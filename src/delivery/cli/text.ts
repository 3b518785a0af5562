/**
 * Text for people: colours, tables, ages. Names and reasons come from other nodes, so whatever could steer a terminal is
 * taken out before it is printed.
 */
import Table from 'cli-table3'
import pc from 'picocolors'
import type { Millis } from '../../kernel/units.ts'

export interface Paint {
  good(text: string): string
  doubtful(text: string): string
  bad(text: string): string
  faint(text: string): string
  bold(text: string): string
}

export function createPaint(colours: boolean): Paint {
  const { green, yellow, red, dim, bold } = pc.createColors(colours)
  return { good: green, doubtful: yellow, bad: red, faint: dim, bold }
}

const colourOf: Readonly<Record<string, keyof Paint>> = {
  healthy: 'good',
  alive: 'good',
  up: 'good',
  yes: 'good',
  done: 'good',
  degraded: 'doubtful',
  suspect: 'doubtful',
  starting: 'doubtful',
  restarting: 'doubtful',
  lastResort: 'doubtful',
  agentDown: 'doubtful',
  notAsked: 'doubtful',
  down: 'bad',
  dead: 'bad',
  unhealthy: 'bad',
  no: 'bad',
  refused: 'bad',
  silent: 'bad',
  unknown: 'bad',
}

/** One of the words of states, in the colour of its meaning. */
export function stateWord(word: string, paint: Paint): string {
  return paint[colourOf[word] ?? 'faint'](word)
}

/** Control characters, escape sequences among them, become a question mark. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const drawn = new Table({
    head: head.map(title => paint.faint(title)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: noBorders,
  })
  drawn.push(...rows.map(row => [...row]))
  const lines = drawn.toString().split('\n')
  return lines.map(line => line.trimEnd()).join('\n')
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle']
    .flatMap(side => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .map(name => [name, '']),
)

/** `3d 4h`, `2h 5m`, `40s`: the two largest units. */
export function age(durationMs: Millis): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000))
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([amount]) => amount > 0)
  if (first === -1) return '0s'
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ')
}

export function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}
