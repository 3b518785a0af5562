/** Waiting for the real world: ask until it is true, with a deadline; listen to an engine's own events. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { LabNode } from '../../lab/state.ts'

/** Rejects, naming `what`, when `holds` was not true within `limitMs`. A `holds` that throws is not true yet. */
export async function untilTrue(what: string, limitMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const began = performance.now()
  let last: unknown
  while (performance.now() - began < limitMs) {
    try {
      if (await holds()) return
      last = undefined
    } catch (error) {
      last = error
    }
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  throw new Error(`waited ${limitMs} ms in vain until ${what}`, { cause: last })
}

export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN
}

export interface HealthEvents {
  /** Wall clock, ms, at which the engine says the next event of this kind happened. */
  next(status: 'healthy' | 'unhealthy'): Promise<number>
  stop(): void
}

/** `docker events` of one engine: the engine's own word on when a health check changed its mind. */
export function healthEvents(node: LabNode): HealthEvents {
  const args = [
    '--host',
    `unix://${node.socket}`,
    'events',
    '--filter',
    'event=health_status',
    '--format',
    '{{json .}}',
  ]
  const child = spawn('/usr/bin/docker', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const seen: { action: string; atMs: number }[] = []
  createInterface({ input: child.stdout }).on('line', line => {
    const event = JSON.parse(line) as { Action: string; timeNano: number }
    seen.push({ action: event.Action, atMs: event.timeNano / 1e6 })
  })
  return {
    async next(status) {
      let found: { atMs: number } | undefined
      await untilTrue(`the engine reports ${status}`, 30_000, () => {
        const index = seen.findIndex(event => event.action === `health_status: ${status}`)
        if (index >= 0) found = seen.splice(0, index + 1).at(-1)
        return found !== undefined
      })
      return found?.atMs ?? Number.NaN
    },
    stop: () => void child.kill(),
  }
}
