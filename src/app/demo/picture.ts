/** The live picture of the cluster as lines of text. Pure: answers of the REST API in, text out. */

export interface PictureNode {
  readonly name: string
  /** What to try: the proxy's address. */
  readonly proxy: string
  readonly running: boolean
  /** How this node sees the others and the service; undefined while it does not answer. */
  readonly sees?: {
    readonly nodes: readonly { readonly name: string; readonly status: string }[]
    readonly instances: readonly { readonly node: string; readonly state: string; readonly traffic: string }[]
  }
}

export interface Paint {
  good(text: string): string
  bad(text: string): string
  doubtful(text: string): string
  faint(text: string): string
}

export function picture(
  nodes: readonly PictureNode[],
  answeredBy: Readonly<Record<string, number>>,
  paint: Paint,
): string[] {
  const lines = nodes.flatMap(node => [heading(node, paint), `   ${whatItSees(node, paint)}`, ''])
  const answers = Object.entries(answeredBy).map(([name, count]) => `${name} ${count}`)
  return [...lines, `answers so far: ${answers.length === 0 ? 'none' : answers.join(', ')}`]
}

function heading(node: PictureNode, paint: Paint): string {
  const state = node.running ? paint.good('running') : paint.bad('killed')
  return `${node.name}  ${state}  ${paint.faint(node.proxy)}`
}

function whatItSees(node: PictureNode, paint: Paint): string {
  if (node.sees === undefined) return paint.faint('no answer')
  const members = node.sees.nodes.map(other => `${other.name} ${byStatus(other.status, paint)}`)
  const routed = node.sees.instances.filter(instance => instance.traffic !== 'no').map(instance => instance.node)
  return `sees ${members.join(', ')}; web goes to ${routed.length === 0 ? paint.bad('nobody') : routed.join(' and ')}`
}

function byStatus(status: string, paint: Paint): string {
  if (status === 'alive') return paint.good(status)
  return status === 'suspect' ? paint.doubtful(status) : paint.bad(status)
}
