/**
 * A container's facts become the instance the cluster hears about. Decision made here: which of the four states it is in.
 * Pure and total: whatever the engine says gives an answer, bounded in size and in one fixed order, so that equal facts
 * give equal bytes and nothing is gossiped twice.
 */
import type { LabelReading } from '../labels/index.ts'
import type { Endpoint, Instance, InstanceState, NetworkAttachment } from '../registry/index.ts'
import { unreachable } from '../../kernel/invariant.ts'
import { byText } from '../../kernel/units.ts'
import type { ContainerFact } from './container-fact.ts'

/** What the engine's facts say by themselves, before flap damping. */
export interface Finding {
  readonly state: InstanceState
  /** In few words and without numbers that change by themselves. */
  readonly reason?: string
}

export function findingOf(fact: ContainerFact): Finding {
  switch (fact.state) {
    case 'running':
      return runningFinding(fact)
    case 'paused':
      return { state: 'stopped', reason: 'paused' }
    case 'created':
      return { state: 'stopped', reason: 'created, never started' }
    case 'restarting':
      return { state: 'stopped', reason: `the engine starts it again${exitWords(fact)}` }
    case 'removing':
      return { state: 'stopped', reason: 'being removed' }
    case 'exited':
      return { state: 'stopped', reason: `exited${exitWords(fact)}` }
    case 'dead':
      return { state: 'stopped', reason: 'dead: the engine failed to remove it' }
    default:
      return unreachable(fact.state)
  }
}

function runningFinding(fact: ContainerFact): Finding {
  switch (fact.health) {
    case 'none': // no check: running is all that can be known
    case 'healthy':
      return { state: 'healthy' }
    case 'starting':
      return { state: 'starting', reason: 'its check has not passed yet' }
    case 'unhealthy':
      return { state: 'unhealthy', reason: 'its check fails' }
    default:
      return unreachable(fact.health)
  }
}

function exitWords(fact: ContainerFact): string {
  return fact.exitCode === undefined ? '' : ` with code ${fact.exitCode}`
}

/** What the instance is besides its facts and labels. */
export interface Standing {
  /** After damping. */
  readonly finding: Finding
  readonly sinceWallMs: number
  readonly consecutiveFailures: number
  readonly restartGivenUp: boolean
}

/** A service that publishes a range of thousands of ports must not fill everybody's gossip. */
export const endpointsMax = 64
const networksMax = 32
const textLengthMax = 256

export function instanceOf(fact: ContainerFact, labels: LabelReading, standing: Standing): Instance {
  const { finding } = standing
  const endpoints = boundedEndpoints(fact.endpoints, labels.routing?.port)
  const complaints = [...labels.complaints, ...endpointComplaints(fact.endpoints)]
  return {
    service: labels.service,
    containerId: fact.id,
    containerName: (fact.name === '' ? fact.id : fact.name).slice(0, textLengthMax),
    image: fact.image.slice(0, textLengthMax),
    state: finding.state,
    ...(finding.reason === undefined ? {} : { reason: finding.reason }),
    sinceWallMs: standing.sinceWallMs,
    consecutiveFailures: standing.consecutiveFailures,
    endpoints,
    networks: [...fact.networks].sort(byNetwork).slice(0, networksMax),
    ...(labels.routing === undefined ? {} : { routing: labels.routing }),
    ...(complaints.length === 0 ? {} : { complaints }),
    ...(standing.restartGivenUp ? { restartGivenUp: true } : {}),
  }
}

/**
 * The failures worth telling. A later rule may move what fails for long, so the count is published; but an unhealthy
 * container must not gossip with every failed check, so between changes of state it is told again only when it has
 * passed a power of two or fallen. Below its limit of retries a container is healthy, and 0 is told.
 */
export function toldFailures(
  state: InstanceState,
  streak: number,
  told: Pick<Instance, TellingFields> | undefined,
): number {
  if (state === 'healthy' || !Number.isFinite(streak) || streak <= 0) return 0
  const exact = Math.floor(streak)
  if (told?.state !== state) return exact
  return exact < told.consecutiveFailures || magnitude(exact) > magnitude(told.consecutiveFailures)
    ? exact
    : told.consecutiveFailures
}

type TellingFields = 'state' | 'consecutiveFailures'

/** 0, 1, 2, 2, 3, 3, 3, 3, 4 ... for 0, 1, 2, 3, 4, 5, 6, 7, 8. */
function magnitude(count: number): number {
  return count === 0 ? 0 : 1 + Math.floor(Math.log2(count))
}

/** Keeps the port that is routed, then published ones, then the lowest. */
function boundedEndpoints(endpoints: readonly Endpoint[], routedPort: number | undefined): readonly Endpoint[] {
  const sorted = [...endpoints].sort(byEndpoint)
  if (sorted.length <= endpointsMax) return sorted
  const rank = (endpoint: Endpoint): number =>
    endpoint.containerPort === routedPort ? 0 : endpoint.hostPort === undefined ? 2 : 1
  return sorted
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, endpointsMax)
    .sort(byEndpoint)
}

function endpointComplaints(endpoints: readonly Endpoint[]): readonly string[] {
  return endpoints.length <= endpointsMax
    ? []
    : [`it has ${endpoints.length} ports; only ${endpointsMax} of them are told to the cluster`]
}

function byEndpoint(a: Endpoint, b: Endpoint): number {
  return (
    a.containerPort - b.containerPort ||
    byText(a.protocol, b.protocol) ||
    byText(a.hostIp ?? '', b.hostIp ?? '') ||
    (a.hostPort ?? 0) - (b.hostPort ?? 0)
  )
}

function byNetwork(a: NetworkAttachment, b: NetworkAttachment): number {
  return byText(a.network, b.network) || byText(a.ip, b.ip)
}
