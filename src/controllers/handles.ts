/** What controllers offer each other and delivery: the current value, and word of every change. */
import type { ClusterView } from '../core/registry/index.ts'
import type { RoutePlan } from '../core/routing/index.ts'

export interface Observable<T> {
  current(): T
  /** Called after every change with the new value; answers the unsubscriber. A listener must not throw. */
  onChange(listener: (value: T) => void): () => void
}

export type ViewHandle = Observable<ClusterView>
export type RoutePlanHandle = Observable<RoutePlan>

/** The bytes Traefik polls. */
export interface TraefikDocument {
  readonly json: string
  /** Strong validator over the bytes, for people's tools; Traefik sends none. */
  readonly etag: string
  /** Rises by one with every change of the bytes since the agent started. */
  readonly generation: number
}

/** Undefined until the first complete view that has something to route, and then never again. */
export type TraefikDocumentHandle = Observable<TraefikDocument | undefined>
