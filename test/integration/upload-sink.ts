/** A workload that reads what is sent to it and answers with its size and checksum; run as a process of its own. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

createServer((request, response) => {
  const hash = createHash('sha256')
  let sizeBytes = 0
  request.on('data', (chunk: Buffer) => {
    hash.update(chunk)
    sizeBytes += chunk.length
  })
  request.on('end', () => response.end(JSON.stringify({ sizeBytes, sha256: hash.digest('hex') })))
}).listen(Number(process.env['PORT']), process.env['HOST'])
