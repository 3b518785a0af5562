/**
 * What a change of the view costs an agent: 100 nodes with 60 exposed services each, every service on every node, so 60
 * balanced pools of 100 members and 6000 single ones. Views are built as the agent builds them. Medians, in milliseconds:
 * - `oneChangeMs`: one instance went unhealthy or came back; the planner, the document, its bytes, the verdict on them
 * - `unchangedMs`: the free memory of one node changed, which no route depends on, as most changes are; the planner alone
 * - `fullMs`: the same way as `oneChangeMs` with nothing known from before, as after a start
 * - `planMs`, `documentMs`, `jsonMs`, `validateMs`: the four parts of `fullMs`, each alone
 */
import { createRoutePlanner, planRoutes, traefikDocument, validateTraefikDocument } from '../src/core/routing/index.ts'
import type { RoutePlan } from '../src/core/routing/index.ts'
import { buildView, instanceKey, nodeFactsKey } from '../src/core/registry/index.ts'
import type { ClusterView, Instance, RecordBody, RecordKey, Section, ViewInput } from '../src/core/registry/index.ts'
import { stableJson } from '../src/kernel/stable-json.ts'
import { nodeName, serviceId } from '../src/kernel/units.ts'
import type { NodeName } from '../src/kernel/units.ts'
import { aMember, anInstance, aNodeFacts, aSection } from '../src/testing/builders.ts'

const nodeCount = 100
const serviceCount = 60
const rounds = 15
const planOptions = { domain: 'example.org' }
const documentOptions = { entryPoints: [] }

export function benchDocument(): object {
  const input = aBigCluster()
  const view = buildView(input)
  const plan = planRoutes(view, planOptions)
  const document = traefikDocument(plan, documentOptions)
  const json = stableJson(document)
  return {
    nodes: nodeCount,
    servicesPerNode: serviceCount,
    documentBytes: json.length,
    oneChangeMs: oneChangeMs(input, view),
    unchangedMs: unchangedMs(input, view),
    fullMs: medianMs(() => validated(planRoutes(view, planOptions))),
    planMs: medianMs(() => planRoutes(view, planOptions)),
    documentMs: medianMs(() => traefikDocument(plan, documentOptions)),
    jsonMs: medianMs(() => stableJson(document)),
    validateMs: medianMs(() => validateTraefikDocument(json)),
  }
}

function oneChangeMs(input: ViewInput, view: ClusterView): number {
  const instance = anInstanceOf(7, 7)
  const ill: Instance = { ...instance, state: 'unhealthy', consecutiveFailures: 3 }
  const changed = withRecord(input, view, 7, instanceKey(instance.containerId), { kind: 'instance', instance: ill })
  const planner = createRoutePlanner(planOptions)
  let last = validated(planner(view))
  let next = changed
  return medianMs(() => {
    const json = validated(planner(next))
    if (json === last) throw new Error('the document did not change')
    last = json
    next = next === view ? changed : view
  })
}

function unchangedMs(input: ViewInput, view: ClusterView): number {
  const facts = aNodeFacts({ memoryFreeBytes: 3_000_000_000 })
  const changed = withRecord(input, view, 7, nodeFactsKey, { kind: 'nodeFacts', facts })
  const planner = createRoutePlanner(planOptions)
  const plan = planner(view)
  let next = changed
  return medianMs(() => {
    if (planner(next) !== plan) throw new Error('it was planned again')
    next = next === view ? changed : view
  })
}

/** The bytes that would be served. */
function validated(plan: RoutePlan): string {
  const json = stableJson(traefikDocument(plan, documentOptions))
  if (!validateTraefikDocument(json).ok) throw new Error('the document was judged bad')
  return json
}

function aBigCluster(): ViewInput {
  const owners = Array.from({ length: nodeCount }, (_, i) => nodeNumber(i))
  const services = Array.from({ length: serviceCount }, (_, i) => i)
  return {
    self: nodeNumber(0),
    now: 0,
    members: owners.map((name, i) => aMember({ name, address: { ip: `100.64.1.${i + 1}`, port: 7946 } })),
    sections: new Map(
      owners.map((name, i) => [
        name,
        aSection(
          name,
          services.map(s => anInstanceOf(i, s)),
        ),
      ]),
    ),
    reachability: new Map(),
    engineListed: true,
    settled: true,
  }
}

function nodeNumber(index: number): NodeName {
  return nodeName(`node-${String(index).padStart(3, '0')}`)
}

function anInstanceOf(node: number, service: number): Instance {
  return anInstance({
    service: serviceId(`shop:service-${service}`),
    containerId: `${node}-${service}`,
    endpoints: [{ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 20_000 + service }],
    routing: { host: `service-${service}`, port: 80, scheme: 'http', routers: [] },
  })
}

/** The view after one record of one node has changed; all that did not is shared with the view before. */
function withRecord(input: ViewInput, view: ClusterView, node: number, key: RecordKey, body: RecordBody): ClusterView {
  const name = nodeNumber(node)
  const before = input.sections.get(name) ?? aSection(name, [])
  const version = { epoch: 1, revision: before.version.revision + 1 }
  const section: Section = { ...before, version, records: new Map(before.records).set(key, { key, version, body }) }
  return buildView({ ...input, sections: new Map(input.sections).set(name, section) }, view)
}

/** After a few unmeasured rounds; two decimals. */
function medianMs(work: () => unknown): number {
  for (let i = 0; i < 3; i++) work()
  const times = Array.from({ length: rounds }, () => {
    const began = performance.now()
    work()
    return performance.now() - began
  }).sort((a, b) => a - b)
  return Number((times[Math.floor(rounds / 2)] ?? Number.NaN).toFixed(2))
}
