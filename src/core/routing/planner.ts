/**
 * Plans again only when something changed that a plan depends on. The view changes with every report of free memory; with
 * a hundred nodes most of its revisions leave the plan as it was, and the answer is then the very same object.
 */
import type { ClusterView, InstanceView, NodeView } from '../registry/index.ts'
import { planRoutes } from './plan.ts'
import type { PlanOptions } from './plan.ts'
import type { RoutePlan } from './types.ts'

export type RoutePlanner = (view: ClusterView) => RoutePlan

export function createRoutePlanner(options: PlanOptions): RoutePlanner {
  let last: { readonly view: ClusterView; readonly plan: RoutePlan } | undefined
  return view => {
    const plan = last !== undefined && sameForRouting(last.view, view) ? last.plan : planRoutes(view, options)
    last = { view, plan }
    return plan
  }
}

function sameForRouting(a: ClusterView, b: ClusterView): boolean {
  return a === b || (a.self === b.self && sameItems(a.nodes, b.nodes, sameNode))
}

function sameNode(a: NodeView, b: NodeView): boolean {
  return (
    a === b ||
    (a.name === b.name &&
      a.agent === b.agent &&
      a.address.ip === b.address.ip &&
      a.profile?.proxyPort === b.profile?.proxyPort &&
      a.profile?.priority === b.profile?.priority &&
      sameItems(a.instances, b.instances, sameInstance))
  )
}

/** A record that changed has a new revision or, after a restart of its author, new parts. */
function sameInstance(a: InstanceView, b: InstanceView): boolean {
  return (
    a === b ||
    (a.revision === b.revision &&
      a.traffic === b.traffic &&
      a.containerId === b.containerId &&
      a.service === b.service &&
      a.endpoints === b.endpoints &&
      a.networks === b.networks &&
      a.routing === b.routing)
  )
}

function sameItems<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (const [index, item] of a.entries()) {
    const other = b[index]
    if (other === undefined || !same(item, other)) return false
  }
  return true
}
