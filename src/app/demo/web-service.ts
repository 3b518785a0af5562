/**
 * The workload of the demo: a small real web service that says which node answered. Started as a child process by the
 * process engine, which passes HOST and PORT; `/health` is its health check and can be made to fail by `POST /health/fail`.
 */
import { createServer } from 'node:http'

const node = process.env['DEMO_NODE'] ?? 'unknown'
let healthy = true
let served = 0

const server = createServer((request, response) => {
  if (request.url === '/health') {
    response.writeHead(healthy ? 200 : 503).end(healthy ? 'ok\n' : 'failing on request\n')
    return
  }
  if (request.method === 'POST' && (request.url === '/health/fail' || request.url === '/health/recover')) {
    healthy = request.url === '/health/recover'
    response.writeHead(204).end()
    return
  }
  served++
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify({ hello: 'constellation', node, pid: process.pid, served })}\n`)
})

server.listen(Number(process.env['PORT']), process.env['HOST'])
process.on('SIGTERM', () => server.close(() => process.exit(0)))
