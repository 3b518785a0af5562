/**
 * What the containers of one service ask together. They usually agree; while an update rolls they may not, and then the
 * healthiest speaks, ties broken by node and container so that every node of the cluster hears the same answer.
 */
import type { ServiceId } from '../../kernel/units.ts'
import { byText } from '../../kernel/units.ts'
import type { InstanceView, RouterWish, RoutingWish, Traffic } from '../registry/index.ts'
import { dnsLabel } from './names.ts'

export interface ServiceWish {
  /** First label of its host names; undefined when what was asked for is none. */
  readonly host: string | undefined
  /** Ordered by name. */
  readonly routers: readonly RouterWish[]
  /** Asked for by any router. The default hosts carry them all: a password must not be dodged by another host name. */
  readonly middlewares: readonly string[]
}

const rank: Readonly<Record<Traffic, number>> = { yes: 0, lastResort: 1, no: 2 }

/** `instances`: ordered by node and container id, which breaks the ties, because sorting is stable. */
export function serviceWish(
  service: ServiceId,
  instances: readonly { readonly instance: InstanceView; readonly wish: RoutingWish }[],
  complain: (sentence: string) => void,
): ServiceWish {
  const speakers = [...instances].sort((a, b) => rank[a.instance.traffic] - rank[b.instance.traffic])
  const wished = speakers[0]?.wish.host ?? ''
  const host = dnsLabel(wished) === wished ? wished : undefined
  if (host === undefined) complain(`${service}: ${JSON.stringify(wished)} is no DNS label, so it has no default host`)
  const routers = new Map<string, RouterWish>()
  for (const { instance, wish } of speakers) {
    for (const router of wish.routers) {
      const first = routers.get(router.name)
      if (first === undefined) routers.set(router.name, router)
      else if (!sameRouter(first, router))
        complain(`${service}: router ${router.name} differs on ${instance.node}; the other definition is used`)
    }
  }
  const ordered = [...routers.values()].sort((a, b) => byText(a.name, b.name))
  const middlewares = [...new Set(ordered.flatMap(router => router.middlewares ?? []))]
  return { host, routers: ordered, middlewares }
}

function sameRouter(a: RouterWish, b: RouterWish): boolean {
  return (
    a === b ||
    (a.rule === b.rule &&
      a.priority === b.priority &&
      sameList(a.entryPoints, b.entryPoints) &&
      sameList(a.middlewares, b.middlewares))
  )
}

function sameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
