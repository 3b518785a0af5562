/**
 * Whether members could understand each other: every version spoken must lie in the range that all alive ones among them
 * support, for the protocol and for the application's own.
 */
import type { NodeState } from './messages.ts'

interface Range {
  least: number
  most: number
}

type Judged = Pick<NodeState, 'name' | 'status' | 'versions'>

/**
 * Why not, or undefined. `versions` is pmin, pmax, pcur, dmin, dmax, dcur. Too short a list cannot be judged, and whoever
 * has departed cannot misunderstand anybody: neither may stand between the others.
 */
export function incompatibility(nodes: readonly Judged[]): string | undefined {
  const protocol: Range = { least: 0, most: 255 }
  const application: Range = { least: 0, most: 255 }
  const judged = nodes.filter(({ status, versions }) => status === 'alive' && versions.length === 6)
  for (const { versions } of judged) {
    narrow(protocol, versions[0] ?? 0, versions[1] ?? 0)
    narrow(application, versions[3] ?? 0, versions[4] ?? 0)
  }
  for (const { name, versions } of judged) {
    const spoken = versions[2] ?? 0
    const applicationSpoken = versions[5] ?? 0
    if (!isWithin(protocol, spoken)) return `${name} speaks protocol ${spoken}, all support ${text(protocol)}`
    if (!isWithin(application, applicationSpoken))
      return `${name} speaks application version ${applicationSpoken}, all support ${text(application)}`
  }
  return undefined
}

function narrow(range: Range, least: number, most: number): void {
  range.least = Math.max(range.least, least)
  range.most = Math.min(range.most, most)
}

function isWithin({ least, most }: Range, value: number): boolean {
  return value >= least && value <= most
}

function text({ least, most }: Range): string {
  return least > most ? 'none in common' : `${least} to ${most}`
}
