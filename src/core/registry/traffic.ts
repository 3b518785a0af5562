/**
 * May this instance receive traffic, and why not. The rules in one place, in order:
 * its own health; then whether its node is there; then, for a node whose agent does not answer, what our own connects
 * found out. A dead agent must not take the routes of its host along: the containers run on without it.
 * Our own node is never judged by what others say about it.
 */
import type { MemberStatus } from '../membership/index.ts'
import { directAddress } from './direct-address.ts'
import type { Instance } from './record.ts'
import type { AgentState, Reachability, Traffic } from './view.ts'

export interface Situation {
  /** The instance runs on the node that asks. */
  readonly own: boolean
  readonly status: MemberStatus
  readonly agent: AgentState
  readonly meshIp: string
  readonly reachability?: Reachability
}

export interface TrafficVerdict {
  readonly traffic: Traffic
  readonly trafficReason: string
}

export function judgeTraffic(instance: Instance, situation: Situation): TrafficVerdict {
  if (instance.state !== 'healthy') return verdict('no', stateInWords(instance))
  if (situation.own || situation.status === 'alive') return verdict('yes', 'healthy')
  if (situation.status === 'left') return verdict('no', 'its node has left the cluster')
  if (hostIsUp(situation.reachability)) return judgeByProbe(instance, situation, situation.reachability)
  return withoutProof(situation.status, situation.agent === 'restarting' ? ': its agent is restarting' : '')
}

/** Somebody there refused or accepted our connect: the host runs, whatever became of its agent. */
export function hostIsUp(reachability: Reachability | undefined): reachability is Reachability {
  return reachability !== undefined && reachability.agent !== 'silent'
}

function judgeByProbe(
  instance: Instance,
  { status, agent, meshIp }: Situation,
  reachability: Reachability,
): TrafficVerdict {
  const agentInWords = inWords(agent, reachability)
  if (directAddress(instance, meshIp) === undefined) {
    // Where the agent's port still accepts, its proxy may work too.
    return reachability.agent === 'answers'
      ? withoutProof(status, ', and only its own proxy could reach it')
      : verdict('no', `${agentInWords} and its proxy with it; no port of the instance is published for other nodes`)
  }
  const answer = reachability.instances.get(instance.containerId)
  if (answer === undefined) return withoutProof(status, ', and the instance has not been probed yet')
  return answer === 'answers'
    ? verdict('yes', `${agentInWords}, but the instance answers our own probe`)
    : verdict('no', `${agentInWords} and the instance does not answer our own probe (${answer})`)
}

/** What accepts on the agent's port is not proven to be the agent, only that gossip and TCP disagree. */
function inWords(agent: AgentState, reachability: Reachability): string {
  if (agent === 'restarting') return 'its agent is restarting'
  return reachability.agent === 'answers' ? 'gossip does not reach its agent (it answers TCP)' : 'its agent is down'
}

function withoutProof(status: MemberStatus, detail: string): TrafficVerdict {
  return status === 'suspect'
    ? verdict('lastResort', `its node is suspected${detail}`)
    : verdict('no', `its node is dead${detail}`)
}

function stateInWords({ state, reason }: Instance): string {
  return reason === undefined ? state : `${state}: ${reason}`
}

function verdict(traffic: Traffic, trafficReason: string): TrafficVerdict {
  return { traffic, trafficReason }
}
