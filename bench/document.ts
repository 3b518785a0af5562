/**
 * What a change of the view costs: 100 nodes with 60 exposed services each, every service on every node, so 60 balanced
 * pools of 100 members and 6000 single ones. `full` is one instance gone unhealthy; `unchanged` a change that no route
 * depends on (free memory of a node), which is what most changes are.
 */
import { createRoutePlanner, planRoutes, traefikDocument, validateTraefikDocument } from '../src/core/routing/index.ts'
import type { ClusterView, InstanceView, NodeView } from '../src/core/registry/index.ts'
import { stableJson } from '../src/kernel/stable-json.ts'
import { nodeName, serviceId } from '../src/kernel/units.ts'
import { anInstanceView, aNodeView, aView } from '../src/testing/builders.ts'

const nodeCount = 100
const serviceCount = 60
const rounds = 15
const options = { domain: 'example.org' }

export function benchDocument(): object {
  const view = aBigView()
  const document = traefikDocument(planRoutes(view, options), { entryPoints: [] })
  const full = medianMs(() => {
    const json = stableJson(traefikDocument(planRoutes(view, options), { entryPoints: [] }))
    if (!validateTraefikDocument(json).ok) throw new Error('the document was judged bad')
  })
  const planner = createRoutePlanner(options)
  planner(view)
  let revision = view.revision
  const unchanged = medianMs(() => {
    planner({ ...view, revision: ++revision, nodes: view.nodes.map((node, i) => (i === 7 ? { ...node } : node)) })
  })
  return {
    nodes: nodeCount,
    servicesPerNode: serviceCount,
    documentBytes: stableJson(document).length,
    fullMs: full,
    planMs: medianMs(() => planRoutes(view, options)),
    documentMs: medianMs(() => stableJson(document)),
    validateMs: medianMs(() => validateTraefikDocument(stableJson(document))),
    unchangedMs: unchanged,
  }
}

export function aBigView(): ClusterView {
  return aView({ nodes: Array.from({ length: nodeCount }, (_, i) => aBigNode(i)) })
}

function aBigNode(index: number): NodeView {
  const name = nodeName(`node-${String(index).padStart(3, '0')}`)
  const instances: InstanceView[] = Array.from({ length: serviceCount }, (_, i) =>
    anInstanceView({
      node: name,
      service: serviceId(`shop:service-${i}`),
      containerId: `${index}-${i}`,
      endpoints: [{ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 20_000 + i }],
      routing: { host: `service-${i}`, port: 80, scheme: 'http', routers: [] },
    }),
  )
  return aNodeView({ name, address: { ip: `100.64.1.${index + 1}`, port: 7946 }, instances })
}

/** After a few unmeasured rounds; two decimals. */
function medianMs(work: () => void): number {
  for (let i = 0; i < 3; i++) work()
  const times = Array.from({ length: rounds }, () => {
    const began = performance.now()
    work()
    return performance.now() - began
  }).sort((a, b) => a - b)
  return Number((times[Math.floor(rounds / 2)] ?? Number.NaN).toFixed(2))
}
