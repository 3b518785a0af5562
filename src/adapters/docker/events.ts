/**
 * The engine's event stream: JSON, one event a line. An event is only a hint that a container is worth another look, so
 * nothing but the id is taken from it; whatever is lost here is found by the next listing.
 */
import type { Readable } from 'node:stream'
import { describeError } from '../../kernel/errors.ts'
import { isObject, objectAt, textAt } from './json.ts'

/** `die` stands for kill and stop too, which it follows. */
const lifeOfContainers = ['create', 'start', 'restart', 'pause', 'unpause', 'die', 'health_status', 'rename', 'update']
/** They change a container's addresses. */
const networkChanges = ['connect', 'disconnect']

export const eventFilters = {
  type: ['container', 'network'],
  event: [...lifeOfContainers, 'destroy', ...networkChanges],
}

/** Labels ride on every event; a line far beyond what they can fill is no event. */
const lineLengthMax = 1_048_576

/** Answers why the stream ended, and has destroyed it by then. Never rejects. */
export function readEvents(stream: Readable, onContainer: (id: string) => void): Promise<string> {
  return new Promise(resolve => {
    let rest = ''
    let isOver = false
    const end = (reason: string): void => {
      isOver = true
      resolve(reason)
      stream.destroy()
    }
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (isOver) return
        const named = containerNamed(line)
        if (named === undefined) end(`a line that is no event: ${JSON.stringify(line.slice(0, 80))}`)
        else if (named !== '') onContainer(named)
      }
      if (rest.length > lineLengthMax) end('a line too long for an event')
    })
    stream.on('error', (error: unknown) => end(describeError(error)))
    stream.on('close', () => end(rest === '' ? 'closed by the engine' : 'cut in the middle of an event'))
  })
}

/** The container an event is about, '' when it is about none we look at, undefined when the line is no event. */
export function containerNamed(line: string): string | undefined {
  if (line.trim() === '') return ''
  const event = parsed(line)
  if (!isObject(event)) return undefined
  const actor = objectAt(event, 'Actor')
  // Not every engine honours the filter, and a health check is an exec every few seconds.
  if (textAt(event, 'Action').startsWith('exec_')) return ''
  if (textAt(event, 'Type') === 'container') return textAt(actor, 'ID')
  return textAt(objectAt(actor, 'Attributes'), 'container')
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
