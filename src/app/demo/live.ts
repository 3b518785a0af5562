/**
 * The demo for people: three agents, a picture redrawn every half second, keys to kill a node and bring it back.
 * Without a terminal it prints the picture whenever it changes and runs until it is interrupted.
 */
import { emitKeypressEvents } from 'node:readline'
import pc from 'picocolors'
import { untilReady, withDemoCluster, type DemoCluster } from './cluster.ts'
import type { DemoNode } from './demo-node.ts'
import { startLoad, type Load } from './load.ts'
import { picture, type Paint, type PictureNode } from './picture.ts'

const redrawMs = 500
const colours: Paint = { good: pc.green, bad: pc.red, doubtful: pc.yellow, faint: pc.dim }

/** Resolves when the person quits (q or Ctrl-C); everything it started is ended by then. */
export async function runLive(): Promise<void> {
  process.stdout.write('starting three agents, a web service on two of them ...\n')
  await withDemoCluster(async cluster => {
    const readyMs = await untilReady(cluster)
    process.stdout.write(`${introduction(cluster, readyMs).join('\n')}\n`)
    const { ip, proxy } = cluster.nodes[2].address
    const load = startLoad(`http://${ip}:${proxy}`, 'web.localhost', 1)
    await untilQuit(cluster, load)
    await load.stop()
    process.stdout.write('ending the demo ...\n')
  })
}

function introduction(cluster: DemoCluster, readyMs: number): readonly string[] {
  const [a, , c] = cluster.nodes
  return [
    '',
    `Three nodes met in ${readyMs} ms. Things to try from another terminal:`,
    '',
    `  curl -H 'Host: web.localhost' http://${c.address.ip}:${c.address.proxy}/          the service, through a node that does not run it`,
    `  curl -H 'Host: web.node-b.localhost' http://${c.address.ip}:${c.address.proxy}/   the same, node-b alone`,
    `  curl http://${a.address.ip}:${a.address.api}/api/v1/services                    what node-a knows`,
    `  curl http://${a.address.ip}:${a.address.provider}/                                     the document Traefik would poll`,
    '',
    `Logs and data: ${cluster.folder}`,
    '',
  ]
}

async function untilQuit(cluster: DemoCluster, load: Load): Promise<void> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  const screen = terminal ? redrawing() : appending()
  const quit = new AbortController()
  const onSignal = (): void => quit.abort()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  const stopKeys = terminal ? listenToKeys(cluster, onSignal) : () => undefined
  while (!quit.signal.aborted) {
    const nodes = await Promise.all(cluster.nodes.map(describe))
    const keys = terminal ? ['', pc.dim('1 2 3: kill or restart that node with its workload    q: quit')] : []
    screen([...picture(nodes, terminal ? load.report().answeredBy : {}, colours), ...keys])
    await new Promise(resolve => setTimeout(resolve, redrawMs))
  }
  stopKeys()
  process.off('SIGINT', onSignal)
  process.off('SIGTERM', onSignal)
}

async function describe(node: DemoNode): Promise<PictureNode> {
  const proxy = `http://${node.address.ip}:${node.address.proxy}`
  const [nodes, services] = await Promise.all([
    node.get<{ nodes: NonNullable<PictureNode['sees']>['nodes'] }>('/api/v1/nodes'),
    node.get<{ services: readonly { id: string; instances: NonNullable<PictureNode['sees']>['instances'] }[] }>(
      '/api/v1/services',
    ),
  ])
  const base = { name: node.name, proxy, running: node.running }
  if (nodes === undefined || services === undefined) return base
  const web = services.services.find(service => service.id === 'web')
  return { ...base, sees: { nodes: nodes.nodes, instances: web?.instances ?? [] } }
}

function listenToKeys(cluster: DemoCluster, quit: () => void): () => void {
  const onKey = (text: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
    if (text === 'q' || (key.ctrl === true && key.name === 'c')) quit()
    const node = cluster.nodes[Number(text) - 1]
    if (node === undefined) return
    if (node.running) node.powerOff()
    else node.start()
  }
  emitKeypressEvents(process.stdin)
  process.stdin.setRawMode(true)
  process.stdin.resume()
  process.stdin.on('keypress', onKey)
  return () => {
    process.stdin.off('keypress', onKey)
    process.stdin.setRawMode(false)
    process.stdin.pause()
  }
}

/** Moves up over what it drew last and draws anew. */
function redrawing(): (lines: readonly string[]) => void {
  let drawn = 0
  return lines => {
    const up = drawn > 0 ? `\u001B[${drawn}A` : ''
    process.stdout.write(`${up}${lines.map(line => `\u001B[2K${line}`).join('\n')}\n`)
    drawn = lines.length
  }
}

/** Prints only what differs from the last picture. */
function appending(): (lines: readonly string[]) => void {
  let last = ''
  return lines => {
    const text = `${lines.join('\n')}\n`
    if (text !== last) process.stdout.write(`${text}\n`)
    last = text
  }
}
