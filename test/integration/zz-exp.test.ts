import { afterAll, test } from 'vitest'
import { endAgents, startAgent } from './agent-process.ts'
afterAll(endAgents)
test('war', async () => {
  const web = (port: number) => [{ service: 'web', command: 'sleep', args: ['1000'], port, labels: { 'constellation.expose': 'true' } }]
  const a = await startAgent({ name: 'node-a', processes: web(9001) })
  const b = await startAgent({ name: 'node-b', seeds: [a.seed], processes: web(9001) })
  const i = await startAgent({ name: 'node-a', seeds: [b.seed], processes: web(9002) })
  await new Promise(r => setTimeout(r, 20_000))
  for (const x of [a, b, i]) {
    console.log(x.name, x.ip, x.rssBytes(), await x.metric('constellation_gossip_packets_total', 'sent'), await x.metric('constellation_view_revision'))
    console.log(x.output().split('\n').length, x.output().slice(-2500))
    console.log(JSON.stringify((await x.api<any>('/api/v1/nodes')).nodes.map((n: any) => [n.name, n.address, n.status])), JSON.stringify((await x.api<any>('/api/v1/services')).services.map((s: any) => s.instances.map((q: any)=>[q.node, q.containerId.slice(0, 6), q.upstream?.url]))))
  }
})
