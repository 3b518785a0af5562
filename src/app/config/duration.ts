/**
 * Durations as people write them: Go's form (`30s`, `1m30s`, `200ms`, `1.5h`) or a plain number of milliseconds.
 * Answers undefined for anything else; never guesses a unit.
 */
import type { Millis } from '../../kernel/units.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const wholePattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/
const partPattern = /(\d+(?:\.\d+)?)(ms|s|m|h)/g

export function parseDuration(value: unknown): Millis | undefined {
  if (typeof value === 'number') return isWholeMs(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return parseDuration(Number(text))
  if (!wholePattern.test(text)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of text.matchAll(partPattern)) totalMs += Number(amount) * (unitMs[unit ?? ''] ?? 0)
  const rounded = Math.round(totalMs)
  return isWholeMs(rounded) ? rounded : undefined
}

/** `90000` becomes `1m30s`: the largest units that lose nothing. */
export function formatDuration(durationMs: Millis): string {
  if (durationMs === 0) return '0s'
  let restMs = durationMs
  let text = ''
  for (const [unit, sizeMs] of Object.entries(unitMs).sort(([, a], [, b]) => b - a)) {
    const amount = Math.floor(restMs / sizeMs)
    if (amount > 0) text += `${amount}${unit}`
    restMs -= amount * sizeMs
  }
  return text
}

function isWholeMs(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
