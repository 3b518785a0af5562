/** The SmartFailoverProxy under load: instances that die and return, bodies larger than memory should hold, crowds. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { Agent, request } from 'undici'
import type { RoutePlan } from '../../src/core/routing/index.ts'
import { aMember, aPlan, createCleanup, startProxy, until, type Rig } from './proxy-rig.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

async function proxy(plan: RoutePlan): Promise<Rig> {
  const rig = await startProxy(plan)
  cleanup.add(() => rig.close())
  return rig
}

interface SpawnedInstance {
  readonly port: number
  /** Raises the event `told` on its `process`. */
  readonly tell: () => void
  readonly kill: () => Promise<void>
}

/** An instance in a process of its own: it can be killed as the kernel kills, and its memory is not ours. */
async function spawnInstance(answer: string, port = 0): Promise<SpawnedInstance> {
  const script = `
    const { createHash } = require('node:crypto')
    const server = require('node:http').createServer((request, response) => { ${answer} })
    process.on('message', () => process.emit('told'))
    server.listen(${port}, '127.0.0.1', () => process.send(server.address().port))`
  const child: ChildProcess = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  cleanup.add(kill)
  const [listening] = await once(child, 'message')
  return { port: Number(listening), kill, tell: () => void child.send('go') }
}

const at = (node: string, instance: SpawnedInstance) => aMember(node, { ip: '127.0.0.1', port: instance.port })

test('2,000 requests lose nothing while instances are killed and come back', async () => {
  // With a pause in the middle, so that a kill finds answers half given.
  const answer = `
    response.setHeader('Content-Length', 2000)
    response.write('x'.repeat(1000))
    setTimeout(() => response.end('y'.repeat(1000)), 20)`
  let here = await spawnInstance(answer)
  let there = await spawnInstance(answer)
  const rig = await proxy(aPlan(at('here', here), at('there', there)))
  const client = new Agent({ connections: 32 })
  cleanup.add(() => client.destroy())

  const failures: string[] = []
  let sent = 0
  let answered = 0
  async function worker(): Promise<void> {
    while (sent++ < 2_000) {
      const reply = await request(rig.url, { dispatcher: client, headers: { host: 'web' } })
      const text = await reply.body.text()
      answered++
      if (reply.statusCode !== 200 || text.length !== 2_000) failures.push(`${reply.statusCode} ${text.slice(0, 300)}`)
    }
  }
  async function trouble(): Promise<void> {
    await until(() => answered > 300, 60_000)
    await here.kill()
    await until(() => answered > 700, 60_000)
    here = await spawnInstance(answer, here.port)
    await until(() => answered > 1_100, 60_000)
    await there.kill()
    await until(() => answered > 1_300, 60_000)
    there = await spawnInstance(answer, there.port)
    await here.kill()
  }
  await Promise.all([trouble(), ...Array.from({ length: 32 }, worker)])
  expect(failures).toEqual([])
  expect(answered).toBe(2_000)
  expect(rig.stats().failOvers).toBeGreaterThan(0)
})

test('1,000 requests at once', async () => {
  const instance = await spawnInstance(`setTimeout(() => response.end(request.url), 100)`)
  const rig = await proxy(aPlan(at('here', instance)))
  const client = new Agent()
  cleanup.add(() => client.destroy())
  const paths = Array.from({ length: 1_000 }, (_, i) => `/${i}`)
  const texts = await Promise.all(
    paths.map(async path => {
      const reply = await request(rig.url + path, { dispatcher: client, headers: { host: 'web' } })
      return reply.body.text()
    }),
  )
  expect(texts).toEqual(paths)
})

describe('100 MB', () => {
  const sizeBytes = 100 * 1024 * 1024
  const growthBytesMax = 60 * 1024 * 1024
  // A few blocks over and over: the test itself must not be what fills the memory.
  const blocks = Array.from({ length: 16 }, () => randomBytes(65_536))
  const blockCount = sizeBytes / 65_536
  const sha = createHash('sha256')
  for (let i = 0; i < blockCount; i++) sha.update(blocks[i % blocks.length] ?? '')
  const digest = sha.digest('hex')

  /** The largest resident set seen until `stop`, less what it was at the start. */
  function watchGrowth() {
    const start = process.memoryUsage.rss()
    let peak = start
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20)
    return {
      peak: () => peak - start,
      stop() {
        clearInterval(timer)
        return peak - start
      },
    }
  }

  /** The value of `count` once it has not changed for half a second. */
  async function settled(count: () => number): Promise<number> {
    let last = count()
    let since = performance.now()
    await until(() => {
      if (count() !== last) since = performance.now()
      last = count()
      return performance.now() - since > 500
    }, 30_000)
    return last
  }

  test('go up to an instance that reads when it likes, whole and in little memory', async () => {
    const instance = await spawnInstance(`
      const sha = createHash('sha256')
      const read = () => request.on('data', chunk => sha.update(chunk)).on('end', () => response.end(sha.digest('hex')))
      process.once('told', read)`)
    const rig = await proxy(aPlan(at('here', instance)))
    const headers = { Host: 'web', 'Content-Length': sizeBytes }
    const growth = watchGrowth()
    const sent = httpRequest({ host: '127.0.0.1', port: rig.port, method: 'PUT', headers })
    let next = 0
    const blocksInTurn = new Readable({
      read() {
        this.push(next < blockCount ? blocks[next % blocks.length] : null)
        next++
      },
    })
    blocksInTurn.pipe(sent)
    // What nobody reads piles up in the buffers of a few sockets and nowhere else.
    expect((await settled(() => next)) * 65_536).toBeLessThan(sizeBytes / 3)
    instance.tell()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const chunks = await response.toArray()
    expect(chunks.join('')).toBe(digest)
    expect(growth.stop()).toBeLessThan(growthBytesMax)
  })

  test('come down to a client that reads when it likes, whole and in little memory', async () => {
    const instance = await spawnInstance(`
      const block = Buffer.alloc(65536)
      let left = ${blockCount}
      const more = () => {
        while (left > 0) {
          block.writeUInt32BE(left--)
          if (!response.write(Buffer.from(block))) return void response.once('drain', more)
        }
        response.end()
      }
      more()`)
    const rig = await proxy(aPlan(at('here', instance)))
    const growth = watchGrowth()
    const sent = httpRequest({ host: '127.0.0.1', port: rig.port, headers: { Host: 'web' } }).end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    await settled(() => Math.round((process.memoryUsage.rss() / sizeBytes) * 50))
    expect(growth.peak()).toBeLessThan(growthBytesMax)
    let received = 0
    const sha = createHash('sha256')
    for await (const chunk of response as AsyncIterable<Buffer>) {
      received += chunk.length
      sha.update(chunk)
    }
    expect(received).toBe(sizeBytes)
    expect(sha.digest('hex')).toBe(countedDigest())
    expect(growth.stop()).toBeLessThan(growthBytesMax)
  })

  function countedDigest(): string {
    const sha = createHash('sha256')
    const block = Buffer.alloc(65_536)
    for (let left = blockCount; left > 0; left--) {
      block.writeUInt32BE(left)
      sha.update(block)
    }
    return sha.digest('hex')
  }
})
