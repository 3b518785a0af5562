/**
 * What a container's labels ask of us: which service it is, whether and how it is routed, whether it may be restarted.
 * Total: any labels give an answer; what cannot be honoured becomes a complaint and the rest still holds.
 */
import type { ServiceId } from '../../kernel/units.ts'
import type { Endpoint, RoutingWish } from '../registry/index.ts'
import { dnsLabel, servicePart } from '../routing/index.ts'
import { complaintList } from './complaints.ts'
import type { Complain } from './complaints.ts'
import { isExposed } from './exposure.ts'
import { identityOf } from './identity.ts'
import { httpPort, portLabel } from './port.ts'

/** deunhealth's label: only exactly this key with exactly `true` opts in. */
export const restartLabel = 'deunhealth.restart.on.unhealthy'

export interface LabelledContainer {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly endpoints: readonly Endpoint[]
}

export interface LabelOptions {
  /** `labelled`: only containers that ask for it are routed. `all`: every one that does not decline. */
  readonly expose: 'labelled' | 'all'
}

export interface LabelReading {
  readonly service: ServiceId
  /** Absent: observed only. */
  readonly routing?: RoutingWish
  readonly restartOnUnhealthy: boolean
  /** One sentence each, never fatal. */
  readonly complaints: readonly string[]
}

export function readLabels(container: LabelledContainer, options: LabelOptions): LabelReading {
  const { complain, complaints } = complaintList()
  const service = identityOf(container.name, container.labels, complain)
  const routing = routingWish(container, service, options, complain)
  const restartOnUnhealthy = container.labels[restartLabel] === 'true'
  return { service, ...(routing === undefined ? {} : { routing }), restartOnUnhealthy, complaints }
}

function routingWish(
  { labels, endpoints }: LabelledContainer,
  service: ServiceId,
  options: LabelOptions,
  complain: Complain,
): RoutingWish | undefined {
  const traefikLabels = lowerCased(labels)
  if (!isExposed(labels, traefikLabels, options.expose, complain)) return undefined
  const host = dnsLabel(servicePart(service))
  if (host === undefined) return undefined
  return { host, ...httpPort(labels[portLabel], [], endpoints, complain), routers: [] }
}

/** Traefik compares its label keys without regard to case. The first in key order wins where two become one. */
function lowerCased(labels: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const lowered = new Map<string, string>()
  for (const key of Object.keys(labels).sort()) {
    const name = key.toLowerCase()
    if (name.startsWith('traefik.') && !lowered.has(name)) lowered.set(name, labels[key] ?? '')
  }
  return lowered
}
