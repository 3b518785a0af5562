/**
 * Builds the view: members × sections × reachability. Pure; given the view before, everything that did not change is the
 * same object as before, so that whoever reads a view can tell by identity what to look at again.
 * Invariants: nodes are ordered by name, instances by service and container id; the revision rises if and only if
 * something below it changed; a view that was complete stays complete.
 */
import { equalBytes } from '../../kernel/bytes.ts'
import { byText, isNodeName } from '../../kernel/units.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import type { Member } from '../membership/index.ts'
import { decodeProfile } from './profile.ts'
import { nodeFactsKey } from './record.ts'
import type { NodeFacts, Section, Version } from './record.ts'
import { hostIsUp, judgeTraffic } from './traffic.ts'
import type { Situation } from './traffic.ts'
import type { AgentState, ClusterView, InstanceView, NodeView, Reachability } from './view.ts'

export interface ViewInput {
  readonly self: NodeName
  readonly now: Millis
  readonly members: readonly Member[]
  readonly sections: ReadonlyMap<NodeName, Section>
  readonly reachability: ReadonlyMap<NodeName, Reachability>
  /** Our own engine has been listed since the start. */
  readonly engineListed: boolean
  /** A push/pull has succeeded, or we have waited long enough for one. */
  readonly settled: boolean
}

export function buildView(input: ViewInput, previous?: ClusterView): ClusterView {
  const before = new Map(previous?.nodes.map(node => [node.name, node]))
  const nodes: NodeView[] = []
  for (const member of input.members)
    if (isNodeName(member.name)) nodes.push(nodeView(member, member.name, input, before.get(member.name)))
  nodes.sort((a, b) => byText(a.name, b.name))
  const complete = previous?.complete === true || (input.engineListed && input.settled)
  const isSame = previous?.complete === complete && previous.self === input.self && sameItems(nodes, previous.nodes)
  return isSame ? previous : { revision: (previous?.revision ?? 0) + 1, self: input.self, complete, nodes }
}

/** When an announced restart is overdue, which changes the view by itself. Undefined: nothing is announced. */
export function viewDeadline(input: ViewInput): Millis | undefined {
  const deadlines = input.members.flatMap(member => {
    const backBy = restartDeadline(member, factsOf(sectionOf(member, input)))
    return backBy !== undefined && backBy > input.now ? [backBy] : []
  })
  return deadlines.length === 0 ? undefined : Math.min(...deadlines)
}

/** What a NodeView was made of; kept beside it, because a view itself carries nothing but answers. */
interface Origin {
  readonly meta: Uint8Array
  readonly section: Section | undefined
  readonly reachability: Reachability | undefined
}
const originOf = new WeakMap<NodeView, Origin>()

function nodeView(member: Member, name: NodeName, input: ViewInput, before: NodeView | undefined): NodeView {
  const own = name === input.self
  const origin = { meta: member.meta, section: input.sections.get(name), reachability: input.reachability.get(name) }
  const known = before === undefined ? undefined : originOf.get(before)
  const facts = factsOf(origin.section)
  // We know better than any rumour that we are alive; that we are leaving is our own news.
  const status = own && member.status !== 'left' ? 'alive' : member.status
  const agent = agentState({ ...member, status }, facts, origin.reachability, input.now)
  const sameHead =
    before !== undefined &&
    known !== undefined &&
    before.status === status &&
    before.agent === agent &&
    before.incarnation === member.incarnation &&
    before.address.ip === member.address.ip &&
    before.address.port === member.address.port &&
    equalBytes(known.meta, member.meta)
  if (sameHead && known.section === origin.section && known.reachability === origin.reachability) return before
  const situation: Situation = {
    own,
    status,
    agent,
    meshIp: member.address.ip,
    ...(origin.reachability === undefined ? {} : { reachability: origin.reachability }),
  }
  const instances = instanceViews(name, origin.section, situation, before?.instances ?? [], known?.section)
  const profile = sameHead ? before.profile : decodeProfile(member.meta)
  const node: NodeView = {
    name,
    address: member.address,
    status,
    agent,
    incarnation: member.incarnation,
    ...(profile === undefined ? {} : { profile }),
    ...(facts === undefined ? {} : { facts }),
    ...(origin.section === undefined ? {} : { sectionVersion: origin.section.version }),
    instances,
  }
  const isSame = sameHead && instances === before.instances && sameVersion(node.sectionVersion, before.sectionVersion)
  const kept = isSame ? before : node
  originOf.set(kept, origin)
  return kept
}

function instanceViews(
  node: NodeName,
  section: Section | undefined,
  situation: Situation,
  before: readonly InstanceView[],
  sectionBefore: Section | undefined,
): readonly InstanceView[] {
  const known = new Map(before.map(instance => [instance.containerId, instance]))
  const instances: InstanceView[] = []
  for (const { key, body, version } of section?.records.values() ?? []) {
    if (body.kind !== 'instance') continue
    const { instance } = body
    const { traffic, trafficReason } = judgeTraffic(instance, situation)
    const was = known.get(instance.containerId)
    const isSame =
      was?.traffic === traffic &&
      was.trafficReason === trafficReason &&
      sameVersion(sectionBefore?.records.get(key)?.version, version)
    // Spread last: V8 copies into a literal some ten times faster than it adds to a copy, and this runs for every instance.
    instances.push(isSame ? was : { node, revision: version.revision, traffic, trafficReason, ...instance })
  }
  instances.sort((a, b) => byText(a.service, b.service) || byText(a.containerId, b.containerId))
  return sameItems(instances, before) ? before : instances
}

function agentState(
  member: Member,
  facts: NodeFacts | undefined,
  reachability: Reachability | undefined,
  now: Millis,
): AgentState {
  if (member.status === 'alive') return 'up'
  if (member.status === 'left') return 'left'
  const backBy = restartDeadline(member, facts)
  if (backBy !== undefined && now < backBy) return 'restarting'
  return hostIsUp(reachability) ? 'agentDown' : 'unknown'
}

/** It said for how long; we count from when we missed it. */
function restartDeadline(member: Member, facts: NodeFacts | undefined): Millis | undefined {
  const isMissing = member.status === 'suspect' || member.status === 'dead'
  return isMissing && facts?.restartingForMs !== undefined ? member.statusSince + facts.restartingForMs : undefined
}

function sectionOf(member: Member, input: ViewInput): Section | undefined {
  return isNodeName(member.name) ? input.sections.get(member.name) : undefined
}

function factsOf(section: Section | undefined): NodeFacts | undefined {
  const body = section?.records.get(nodeFactsKey)?.body
  return body?.kind === 'nodeFacts' ? body.facts : undefined
}

function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  return a?.epoch === b?.epoch && a?.revision === b?.revision
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
