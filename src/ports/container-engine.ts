/**
 * A runtime that runs containers: Docker, or plain child processes. It reports facts and carries out restarts; it never
 * decides. Contract (test/contract/container-engine.ts): `watch` subscribes before it lists, lists again every 10 s and
 * after every reconnect, reports a change at least once, and never touches a container.
 */
import type { ContainerFact } from '../core/health/index.ts'
import { ConstellationError } from '../kernel/errors.ts'

export type EngineEvent =
  | { readonly kind: 'connected'; readonly version: string }
  /** Reported once per outage; the adapter keeps trying. What was known stays known. */
  | { readonly kind: 'disconnected'; readonly reason: string }
  /** The whole truth at this moment: what is absent is gone. */
  | { readonly kind: 'listed'; readonly containers: readonly ContainerFact[] }
  | { readonly kind: 'changed'; readonly container: ContainerFact }
  | { readonly kind: 'removed'; readonly id: string }

export interface ContainerEngine {
  readonly kind: 'docker' | 'process'
  /** Feeds `listener` until `signal` aborts, then resolves. Never rejects for an engine that is absent, slow or dies. */
  watch(listener: (event: EngineEvent) => void, signal: AbortSignal): Promise<void>
  /** Rejects with EngineUnavailable or ContainerGone. */
  restart(id: string, signal: AbortSignal): Promise<void>
}

/** The engine does not answer: try again later. */
export class EngineUnavailable extends ConstellationError {
  constructor(message: string, options: { cause?: unknown; hint?: string } = {}) {
    super('ENGINE_UNAVAILABLE', message, options)
  }
}

/** There is no such container any more: do not repeat. */
export class ContainerGone extends ConstellationError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('CONTAINER_GONE', message, options)
  }
}
