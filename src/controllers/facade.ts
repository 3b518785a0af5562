/**
 * Every question delivery may ask the agent, answered from what the controllers hold at this moment. Nothing asked here
 * changes anything, but for the keys of gossip.
 */
import type { KeyOperation } from '../core/cluster/index.ts'
import type { ClusterView, InstanceState, NodeView } from '../core/registry/index.ts'
import type { RoutePlan } from '../core/routing/index.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type {
  EngineState,
  HealthAnswer,
  NodeAnswer,
  NodeDetail,
  NodesAnswer,
  ServiceAnswer,
  ServiceLookup,
  ServicesAnswer,
  StatusAnswer,
} from './answers.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import type { GossipQuestions } from './gossip-answers.ts'
import type { RoutePlanHandle, TraefikDocumentHandle, ViewHandle } from './handles.ts'
import { askForKeys } from './key-answers.ts'
import type { KeysAnswer } from './key-answers.ts'
import { byService, instanceAnswer, serviceAnswers, upstreamsByContainer } from './service-answers.ts'

export interface Facade extends GossipQuestions {
  status(): StatusAnswer
  nodes(): NodesAnswer
  /** Undefined: no such node is known. */
  node(name: string): NodeDetail | undefined
  services(): ServicesAnswer
  /** By id, or by the name after the project when only one project has it. */
  service(idOrName: string): ServiceLookup
  health(): HealthAnswer
  /** Lists the gossip keys of every node, or changes them. Never rejects. */
  keys(operation: KeyOperation): Promise<KeysAnswer>
}

export interface FacadeParts {
  readonly view: ViewHandle
  readonly plan: RoutePlanHandle
  readonly document: TraefikDocumentHandle
  readonly cluster: Pick<ClusterHandle, 'stats' | 'keys'>
  readonly gossip: GossipQuestions
  readonly engine: () => EngineState
  readonly clock: Pick<Clock, 'now'>
  readonly domain: string
  readonly version: string
}

export function createFacade(parts: FacadeParts): Facade {
  const startedAt = parts.clock.now()
  const services = remembering(serviceAnswers)
  const currentServices = (): readonly ServiceAnswer[] => services(parts.view.current(), parts.plan.current())

  return {
    status: () => statusAnswer(parts, parts.clock.now() - startedAt, currentServices()),
    nodes() {
      const view = parts.view.current()
      return { viewRevision: view.revision, nodes: view.nodes.map(node => nodeAnswer(node, view)) }
    },
    node(name) {
      const view = parts.view.current()
      const node = view.nodes.find(node => node.name === name)
      return node === undefined ? undefined : nodeDetail(node, view, parts.plan.current())
    },
    services: () => ({ viewRevision: parts.view.current().revision, services: currentServices() }),
    service: idOrName => lookUp(idOrName, currentServices()),
    health: () => healthAnswer(parts),
    ...parts.gossip,
    keys: operation => askForKeys(parts.cluster, parts.view.current().self, operation),
  }
}

/** The answer is asked for far more often than the view changes. */
function remembering<R>(build: (view: ClusterView, plan: RoutePlan) => R): (view: ClusterView, plan: RoutePlan) => R {
  let last: { readonly view: ClusterView; readonly plan: RoutePlan; readonly result: R } | undefined
  return (view, plan) => {
    if (last?.view !== view || last.plan !== plan) last = { view, plan, result: build(view, plan) }
    return last.result
  }
}

function statusAnswer(parts: FacadeParts, uptimeMs: number, services: readonly ServiceAnswer[]): StatusAnswer {
  const view = parts.view.current()
  const document = parts.document.current()
  const nodesWith = (status: string): number => view.nodes.filter(node => node.status === status).length
  const servicesIn = (state: string): number => services.filter(service => service.state === state).length
  return {
    node: view.self,
    version: parts.version,
    domain: parts.domain,
    uptimeMs: Math.round(uptimeMs),
    viewRevision: view.revision,
    complete: view.complete,
    members: {
      alive: nodesWith('alive'),
      suspect: nodesWith('suspect'),
      dead: nodesWith('dead'),
      left: nodesWith('left'),
    },
    services: {
      total: services.length,
      healthy: servicesIn('healthy'),
      degraded: servicesIn('degraded'),
      down: servicesIn('down'),
      stopped: servicesIn('stopped'),
    },
    engine: parts.engine(),
    traefik: {
      generation: document?.generation ?? 0,
      ...(document === undefined ? {} : { etag: document.etag }),
      complaints: parts.plan.current().complaints,
    },
    gossip: parts.cluster.stats(),
  }
}

function nodeAnswer(node: NodeView, view: ClusterView): NodeAnswer {
  const { profile, facts } = node
  const instancesIn = (state: InstanceState): number => node.instances.filter(one => one.state === state).length
  return {
    name: node.name,
    self: node.name === view.self,
    address: formatAddress(node.address),
    status: node.status,
    agent: node.agent,
    incarnation: node.incarnation,
    ...(profile === undefined ? {} : { role: profile.role, priority: profile.priority }),
    ...(profile?.publicIp === undefined ? {} : { publicIp: profile.publicIp }),
    ...(profile?.cordoned === undefined ? {} : { cordoned: profile.cordoned }),
    ...(facts === undefined ? {} : { facts }),
    instances: {
      healthy: instancesIn('healthy'),
      unhealthy: instancesIn('unhealthy'),
      starting: instancesIn('starting'),
      stopped: instancesIn('stopped'),
    },
  }
}

function nodeDetail(node: NodeView, view: ClusterView, plan: RoutePlan): NodeDetail {
  const upstreams = upstreamsByContainer(plan)
  return {
    ...nodeAnswer(node, view),
    services: [...byService(node.instances)].map(([id, instances]) => ({
      id,
      instances: instances.map(instance => instanceAnswer(instance, upstreams)),
    })),
  }
}

function lookUp(idOrName: string, services: readonly ServiceAnswer[]): ServiceLookup {
  const exact = services.find(service => service.id === idOrName)
  if (exact !== undefined) return { kind: 'found', service: exact }
  const named = services.filter(service => service.id.endsWith(`:${idOrName}`))
  const [only] = named
  if (only === undefined) return { kind: 'absent' }
  return named.length === 1
    ? { kind: 'found', service: only }
    : { kind: 'ambiguous', ids: named.map(service => service.id) }
}

function healthAnswer(parts: FacadeParts): HealthAnswer {
  const view = parts.view.current()
  const engine = parts.engine()
  const reasons: string[] = []
  if (!engine.connected) reasons.push(`the ${engine.kind} engine does not answer${because(engine.reason)}`)
  if (!view.complete) reasons.push('the view is not complete yet: the engine is to be listed and a peer to be met')
  else if (parts.document.current() === undefined) reasons.push('there is no document for Traefik yet')
  return { ok: reasons.length === 0, reasons }
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`
}
