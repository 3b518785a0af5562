/**
 * What a container's labels ask of us: which service it is, whether and how it is routed, whether it may be restarted.
 * Total: any labels give an answer; what cannot be honoured becomes a complaint and the rest still holds.
 */
import { invariant } from '../../kernel/invariant.ts'
import type { ServiceId } from '../../kernel/units.ts'
import type { Endpoint, RoutingWish } from '../registry/index.ts'
import { dnsLabel, servicePart } from '../routing/index.ts'
import { complaintList } from './complaints.ts'
import type { Complain } from './complaints.ts'
import { isExposed, isOneOff } from './exposure.ts'
import { identityOf } from './identity.ts'
import { httpPort, portLabel } from './port.ts'
import { routerWishes, speaksNoHttp, traefikLabels, traefikServers } from './traefik-labels.ts'

/** deunhealth's label: only exactly this key with exactly `true` opts in. */
export const restartLabel = 'deunhealth.restart.on.unhealthy'

const networkLengthMax = 128

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
  const traefik = traefikLabels(labels)
  if (isOneOff(labels) || !isExposed(labels, traefik, options.expose, complain)) return undefined
  if (speaksNoHttp(traefik)) {
    complain('it asks for TCP or UDP routers only, and only HTTP is routed')
    return undefined
  }
  const host = dnsLabel(servicePart(service))
  invariant(host !== undefined, 'a service id has a letter or digit')
  const servers = traefikServers(traefik, complain)
  const port = httpPort(labels[portLabel], servers, endpoints, complain)
  const routers = routerWishes(traefik, servers, port, complain)
  const network = traefik.get('traefik.docker.network')?.trim()
  const hasNetwork = network !== undefined && network !== '' && network.length <= networkLengthMax
  return { host, ...port, routers, ...(hasNetwork ? { network } : {}) }
}
