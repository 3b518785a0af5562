/**
 * Steady, verified load through one node's proxy: `concurrency` clients, each sending its next GET when the last one was
 * answered. A request fails when it gets no answer, another status than 200, or a body that is not the service's.
 */
import { Pool } from 'undici'
import { describeError } from '../../kernel/errors.ts'

export interface LoadReport {
  readonly requests: number
  readonly failed: number
  /** The first few failures, in words. */
  readonly failures: readonly string[]
  /** Answers by node. */
  readonly answeredBy: Readonly<Record<string, number>>
  /** Longest answer, in ms. */
  readonly slowestMs: number
}

export interface Load {
  report(): LoadReport
  stop(): Promise<LoadReport>
}

const pauseMs = 5
const failuresShown = 5

export function startLoad(origin: string, host: string, concurrency: number): Load {
  const pool = new Pool(origin, { connections: concurrency })
  const answeredBy: Record<string, number> = {}
  const failures: string[] = []
  let requests = 0
  let failed = 0
  let slowestMs = 0
  const ending = new AbortController()

  async function once(): Promise<void> {
    const began = performance.now()
    requests++
    try {
      const { statusCode, body } = await pool.request({ method: 'GET', path: '/', headers: { host } })
      const text = await body.text()
      if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${text.slice(0, 200)}`)
      const node = nodeOf(text)
      answeredBy[node] = (answeredBy[node] ?? 0) + 1
    } catch (error) {
      failed++
      if (failures.length < failuresShown) failures.push(describeError(error))
    }
    slowestMs = Math.max(slowestMs, Math.round(performance.now() - began))
  }

  async function client(): Promise<void> {
    while (!ending.signal.aborted) {
      await once()
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }

  const clients = Array.from({ length: concurrency }, client)
  const report = (): LoadReport => ({ requests, failed, failures, answeredBy, slowestMs })
  return {
    report,
    async stop() {
      ending.abort()
      await Promise.all(clients)
      await pool.close()
      return report()
    },
  }
}

/** Throws on a body that is not the demo service's. */
function nodeOf(text: string): string {
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed === 'object' && parsed !== null && 'node' in parsed && typeof parsed.node === 'string') {
    return parsed.node
  }
  throw new Error(`not the service's body: ${text.slice(0, 100)}`)
}
