/**
 * Keeps the route plan and Traefik's document current. The proxy gets a new plan at once; Traefik, which rebuilds its
 * balancers at every changed byte, gets a burst of changes as one document.
 * Invariant: what is served was judged good. When a document is not, the last good one stays, and the first one is not
 * served before the view is complete: an empty or broken answer would cost every route.
 */
import { createHash } from 'node:crypto'
import { createRoutePlanner, parseRelease, traefikDocument, validateTraefikDocument } from '../core/routing/index.ts'
import type { DocumentOptions, DocumentVerdict, Release, RoutePlan } from '../core/routing/index.ts'
import type { ClusterView } from '../core/registry/index.ts'
import { invariant } from '../kernel/invariant.ts'
import { stableJson } from '../kernel/stable-json.ts'
import type { Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { RoutePlanHandle, TraefikDocument, TraefikDocumentHandle, ViewHandle } from './handles.ts'
import { noMarks } from './journal.ts'
import type { BatchMarks } from './journal.ts'
import { createSubject } from './observable.ts'
import { logHops } from './route-hops.ts'

/** From the first change of a burst to its document; later changes of the burst do not push it back. */
export const debounceMs: Millis = 200

export interface RoutingOptions {
  readonly domain: string
  /** `version`: of the oldest Traefik that polls us, `3.0`. */
  readonly traefik: DocumentOptions & { readonly version: string }
}

export interface RoutingSettings {
  readonly view: ViewHandle
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Where the hops of a change are marked. Default: nowhere. */
  readonly journal?: BatchMarks
  readonly options: RoutingOptions
}

export interface RoutingController {
  /** Empty until `start`. */
  readonly plan: RoutePlanHandle
  readonly document: TraefikDocumentHandle
  start(): void
  stop(): void
}

const noRoutes: RoutePlan = { routes: [], pools: [], complaints: [] }

export function createRoutingController(settings: RoutingSettings): RoutingController {
  const { view, clock, log, metrics, options, journal = noMarks } = settings
  const planner = createRoutePlanner({ domain: options.domain })
  const publish = createPublisher({
    options,
    log,
    metrics,
    served: detail => journal.markWaiting('documented', clock.now(), detail),
  })
  const plan = createSubject(noRoutes)
  let judged: RoutePlan | undefined
  let disarm: (() => void) | undefined
  let unsubscribe = (): void => undefined

  function onView(next: ClusterView): void {
    const before = plan.current()
    const after = planner(next)
    if (after !== before) {
      logHops(before, after, next, log, (key, detail) => journal.mark(key, 'planned', clock.now(), detail))
      metrics.gauge('constellation_route_complaints', after.complaints.length)
      plan.set(after)
    }
    if (next.complete && after !== judged) disarm ??= clock.at(clock.now() + debounceMs, rebuild)
  }

  function rebuild(): void {
    disarm = undefined
    judged = plan.current()
    publish.offer(judged)
  }

  return {
    plan,
    document: publish.document,
    start() {
      unsubscribe = view.onChange(onView)
      onView(view.current())
    },
    stop() {
      unsubscribe()
      disarm?.()
      disarm = undefined
    },
  }
}

interface Publisher {
  readonly document: TraefikDocumentHandle
  /** Serves the document of this plan, if it is another one and good. */
  offer(plan: RoutePlan): void
}

interface PublisherParts extends Pick<RoutingSettings, 'options' | 'log' | 'metrics'> {
  /** Told what is served from now on, changed or not. */
  readonly served: (detail: string) => void
}

function createPublisher({ options, log, metrics, served }: PublisherParts): Publisher {
  const release = releaseOf(options.traefik.version)
  const document = createSubject<TraefikDocument | undefined>(undefined)
  const reported = new Set<string>()
  const count = (outcome: 'changed' | 'unchanged' | 'rejected'): void =>
    metrics.count('constellation_traefik_documents_total', { outcome })

  function reject(verdict: DocumentVerdict): void {
    count('rejected')
    for (const sentence of complaintsOf(verdict)) {
      if (reported.has(sentence)) continue
      reported.add(sentence)
      log.error('Traefik document rejected', { problem: sentence })
    }
  }

  return {
    document,
    offer(plan) {
      const json = stableJson(traefikDocument(plan, options.traefik))
      const last = document.current()
      if (json === last?.json) {
        count('unchanged')
        served(`its bytes stay, etag ${last.etag}`)
        return
      }
      const verdict = validateTraefikDocument(json, { release })
      if (!verdict.ok) {
        reject(verdict)
        return
      }
      reported.clear()
      count('changed')
      const generation = (last?.generation ?? 0) + 1
      log.info('Traefik document changed', { generation, routes: plan.routes.length, sizeBytes: json.length })
      const etag = etagOf(json)
      document.set({ json, etag, generation })
      served(`generation ${generation}, etag ${etag}`)
    },
  }
}

/** A document with thousands of problems of one kind does not deserve thousands of lines. */
const sentencesMax = 5

function complaintsOf({ effect, problems }: DocumentVerdict): readonly string[] {
  if (effect === 'removesAllRoutes') return ['it has no router and would drop every route']
  return problems.slice(0, sentencesMax).map(({ path, reason, detail }) => `${path}: ${reason}: ${detail}`)
}

function releaseOf(version: string): Release {
  const release = parseRelease(version)
  invariant(release !== undefined, `the configuration has checked traefik.version ${version}`)
  return release
}

function etagOf(json: string): string {
  return `"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`
}
