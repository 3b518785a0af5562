/** The SmartFailoverProxy between real HTTP servers on loopback. */
import { request as httpRequest, Agent as HttpAgent, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { RoutePlan } from '../../src/core/routing/index.ts'
import type { ProxyOptions } from '../../src/delivery/proxy/index.ts'
import {
  aMember,
  aPlan,
  createCleanup,
  deadAddress,
  startInstance,
  startProxy,
  until,
  type Instance,
  type Rig,
} from './proxy-rig.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

async function instance(answer: RequestListener) {
  const started = await startInstance(answer)
  cleanup.add(() => {
    started.server.closeAllConnections()
    started.server.close()
  })
  return started
}

async function proxy(plan: RoutePlan, options: Partial<ProxyOptions> = {}, node = 'here'): Promise<Rig> {
  const rig = await startProxy(plan, options, node)
  cleanup.add(() => rig.close())
  return rig
}

interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly bytes: Buffer
  readonly text: string
}

interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
  readonly agent?: HttpAgent
}

function ask(rig: Pick<Rig, 'port'>, { body, agent, headers = {}, ...rest }: Ask = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      host: '127.0.0.1',
      port: rig.port,
      headers: { Host: 'web', ...headers },
      agent: agent ?? false,
      ...rest,
    })
    sent.once('error', reject).once('response', response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject).once('end', () => {
        const bytes = Buffer.concat(chunks)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString() })
      })
    })
    sent.end(body)
  })
}

/** Sends text as it is and resolves with everything that comes until the other side closes. */
function askRaw(rig: Rig, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(rig.port, '127.0.0.1', () => socket.write(text))
    let received = ''
    socket.setEncoding('latin1').on('data', chunk => (received += chunk))
    socket.once('error', reject).once('close', () => resolve(received))
  })
}

const says =
  (text: string, status = 200): RequestListener =>
  (request, response) => {
    request.resume().once('end', () => {
      response.writeHead(status, { 'Content-Length': text.length }).end(text)
    })
  }

function problemCode(reply: Reply): unknown {
  expect(reply.headers['content-type']).toBe('application/problem+json')
  return (JSON.parse(reply.text) as { code: unknown }).code
}

describe('whom it asks', () => {
  test('the instance on its own node first, and says which node answered', async () => {
    const [here, there] = [await instance(says('here')), await instance(says('there'))]
    const rig = await proxy(aPlan(aMember('there', there.address, { priority: 1 }), aMember('here', here.address)))
    const reply = await ask(rig)
    expect(reply).toMatchObject({ status: 200, text: 'here' })
    expect(reply.headers['constellation-node']).toBe('here')
    expect(there.hits()).toBe(0)
  })

  test('equal nodes in turn', async () => {
    const [a, b] = [await instance(says('a')), await instance(says('b'))]
    const rig = await proxy(aPlan(aMember('a', a.address), aMember('b', b.address)))
    for (let i = 0; i < 10; i++) await ask(rig)
    expect([a.hits(), b.hits()]).toEqual([5, 5])
  })

  test('the next one when a connection is refused', async () => {
    const there = await instance(says('there'))
    const rig = await proxy(aPlan(aMember('here', await deadAddress()), aMember('there', there.address)))
    expect(await ask(rig)).toMatchObject({ status: 200, text: 'there' })
    expect(rig.metrics.value('constellation_proxy_failovers_total', { reason: 'connectFailed' })).toBe(1)
    expect(rig.log.lines.filter(line => line.level === 'debug').map(line => line.fields.key)).toEqual([
      'shop:web@here#1',
      'shop:web@there#1',
    ])
  })

  test('those of a new plan from the next request on', async () => {
    const [a, b] = [await instance(says('a')), await instance(says('b'))]
    const rig = await proxy(aPlan(aMember('a', a.address)))
    expect((await ask(rig)).text).toBe('a')
    rig.setPlan(aPlan(aMember('b', b.address)))
    expect((await ask(rig)).text).toBe('b')
  })

  test('what runs when the plan changes runs on', async () => {
    let answer = (): void => undefined
    const a = await instance((_, response) => (answer = () => response.end('late')))
    const rig = await proxy(aPlan(aMember('a', a.address)))
    const reply = ask(rig)
    await until(() => a.hits() === 1)
    rig.setPlan(aPlan())
    answer()
    expect(await reply).toMatchObject({ status: 200, text: 'late' })
  })
})

describe('what is sent again', () => {
  async function unwillingAndWilling() {
    const [unwilling, willing] = [await instance(says('busy', 503)), await instance(says('done'))]
    const rig = await proxy(aPlan(aMember('here', unwilling.address), aMember('there', willing.address)))
    return { unwilling, willing, rig }
  }

  test.each(['GET', 'PUT', 'DELETE'])('%s after a 503', async method => {
    const { rig } = await unwillingAndWilling()
    expect(await ask(rig, { method, body: method === 'PUT' ? 'x' : '' })).toMatchObject({ status: 200, text: 'done' })
  })

  test('no POST after a 503: its answer is passed on', async () => {
    const { rig, willing } = await unwillingAndWilling()
    expect(await ask(rig, { method: 'POST', body: 'x' })).toMatchObject({ status: 503, text: 'busy' })
    expect(willing.hits()).toBe(0)
  })

  test('a POST with an Idempotency-Key', async () => {
    const { rig } = await unwillingAndWilling()
    const order = { method: 'POST', body: 'x', headers: { 'Idempotency-Key': 'order-17' } }
    expect(await ask(rig, order)).toMatchObject({ status: 200, text: 'done' })
  })

  test('a POST nobody accepted, body and all', async () => {
    const bodies: string[] = []
    const there = await instance((request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => bodies.push(chunk))
      request.once('end', () => response.end('done'))
    })
    const rig = await proxy(aPlan(aMember('here', await deadAddress()), aMember('there', there.address)))
    expect(await ask(rig, { method: 'POST', body: 'order' })).toMatchObject({ status: 200, text: 'done' })
    expect(bodies).toEqual(['order'])
  })

  test('no POST that may have arrived: nobody gets it a second time', async () => {
    const fatal = await instance(request => request.once('data', () => request.socket.destroy()))
    const there = await instance(says('done'))
    const rig = await proxy(aPlan(aMember('here', fatal.address), aMember('there', there.address)))
    for (let i = 0; i < 20; i++) {
      const reply = await ask(rig, { method: 'POST', body: 'order' })
      expect(reply.status).toBe(502)
      expect(problemCode(reply)).toBe('NO_GOOD_ANSWER')
    }
    expect([fatal.hits(), there.hits()]).toEqual([20, 0])
  })

  test('a small GET whose answer broke off', async () => {
    const breaking = await instance((_, response) => {
      response.writeHead(200, { 'Content-Length': 1_000 }).write('half', () => response.destroy())
    })
    const there = await instance(says('whole'))
    const rig = await proxy(aPlan(aMember('here', breaking.address), aMember('there', there.address)))
    expect(await ask(rig)).toMatchObject({ status: 200, text: 'whole' })
  })

  test('a GET an instance keeps waiting', async () => {
    const silent = await instance(() => undefined)
    const there = await instance(says('quick'))
    const rig = await proxy(aPlan(aMember('here', silent.address), aMember('there', there.address)), {
      tryTimeoutMs: 100,
    })
    expect(await ask(rig)).toMatchObject({ status: 200, text: 'quick' })
  })

  test('over an idle connection the instance has just reset', async () => {
    // Answers the first request of a connection and resets it at the second, as a server does that stopped waiting.
    const seen = new WeakSet<object>()
    const stale = await instance((request, response) => {
      if (seen.has(request.socket)) request.socket.resetAndDestroy()
      else response.end('fresh')
      seen.add(request.socket)
    })
    const rig = await proxy(aPlan(aMember('here', stale.address)))
    for (let i = 0; i < 6; i++) expect(await ask(rig)).toMatchObject({ status: 200, text: 'fresh' })
    expect(rig.metrics.value('constellation_proxy_failovers_total', { reason: 'connectionLost' })).toBeGreaterThan(0)
  })
})

describe('what it answers itself', () => {
  test('a host of nobody', async () => {
    const rig = await proxy(aPlan())
    const reply = await ask(rig, { headers: { Host: 'other.example:81' } })
    expect(reply.status).toBe(404)
    expect(problemCode(reply)).toBe('NO_SUCH_HOST')
    expect(reply.text).toContain('other.example')
  })

  test('a service without an instance', async () => {
    const reply = await ask(await proxy(aPlan()))
    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '2' } })
    expect(problemCode(reply)).toBe('NO_INSTANCE')
  })

  test('when nobody can be reached, with what was tried but without addresses', async () => {
    const rig = await proxy(aPlan(aMember('here', await deadAddress()), aMember('there', await deadAddress())))
    const reply = await ask(rig)
    expect(reply.status).toBe(502)
    expect(reply.text).toContain('here: no connection; there: no connection')
    expect(reply.text).not.toContain('127.0.0.1')
    await ask(rig)
    expect(rig.log.lines.filter(line => line.level === 'warn')).toHaveLength(1)
  })

  test('when nobody answers in time', async () => {
    const silent = await instance(() => undefined)
    const rig = await proxy(aPlan(aMember('here', silent.address)), { timeoutMs: 100 })
    const reply = await ask(rig)
    expect(reply.status).toBe(504)
    expect(problemCode(reply)).toBe('NO_TIMELY_ANSWER')
  })

  test.each([
    ['two Host headers', 'GET / HTTP/1.1|Host: web|Host: web|Connection: close||', 400],
    ['no Host header', 'GET / HTTP/1.1||', 400],
    ['no Host header in HTTP/1.0', 'GET / HTTP/1.0||', 400],
    ['a Host that is none', 'GET / HTTP/1.1|Host: web/x|Connection: close||', 400],
    ['a length beside chunks', 'POST / HTTP/1.1|Host: web|Content-Length: 5|Transfer-Encoding: chunked||0||', 400],
    ['two lengths', 'POST / HTTP/1.1|Host: web|Content-Length: 5|Content-Length: 6||hello', 400],
    ['chunks under a false name', 'POST / HTTP/1.1|Host: web|Transfer-Encoding: xchunked||0||', 400],
    ['a header folded into two lines', 'GET / HTTP/1.1|Host: web|X-A: 1| b||', 400],
    ['a blank before the colon', 'GET / HTTP/1.1|Host: web|Content-Length : 0||', 400],
    ['TRACE', 'TRACE / HTTP/1.1|Host: web|Connection: close||', 405],
    ['CONNECT', 'CONNECT web:443 HTTP/1.1|Host: web||', 405],
    ['a switch to h2c', 'GET / HTTP/1.1|Host: web|Connection: Upgrade|Upgrade: h2c||', 501],
    ['a counter that is none', 'GET / HTTP/1.1|Host: web|constellation-hops: x|Connection: close||', 400],
    ['too many hops', 'GET / HTTP/1.1|Host: web|constellation-hops: 2|Connection: close||', 508],
  ])('%s', async (_, text, status) => {
    const here = await instance(says('never'))
    const rig = await proxy(aPlan(aMember('here', here.address)))
    const received = await askRaw(rig, text.replaceAll('|', '\r\n'))
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(here.hits()).toBe(0)
  })

  test('a head that never ends', async () => {
    const rig = await proxy(aPlan(), { headTimeoutMs: 300 })
    const begun = performance.now()
    const received = await askRaw(rig, 'GET / HTTP/1.1\r\nHost: web\r\n')
    expect(received).toMatch(/^HTTP\/1\.1 408 /)
    expect(performance.now() - begun).toBeLessThan(3_000)
  })

  test('a small body that never comes', async () => {
    const here = await instance(says('never'))
    const rig = await proxy(aPlan(aMember('here', here.address)), { timeoutMs: 100 })
    const text = 'POST / HTTP/1.1\r\nHost: web\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhe'
    expect(await askRaw(rig, text)).toMatch(/^HTTP\/1\.1 408 /)
    expect(here.hits()).toBe(0)
  })
})

describe('what an instance sees', () => {
  test('the request as it was, with who sent it', async () => {
    let head: IncomingMessage | undefined
    const here = await instance((request, response) => {
      head = request
      response.end()
    })
    const rig = await proxy(aPlan(aMember('here', here.address)))
    const headers = { Host: 'Web:8082', 'X-Mixed': ['1', '2'], Connection: 'x-private', 'X-Private': '1' }
    await ask(rig, { path: '/a%20b?c=%2F', headers: { ...headers, Expect: '100-continue' } })
    expect(head?.url).toBe('/a%20b?c=%2F')
    expect(head?.headers).toMatchObject({
      host: 'Web:8082',
      'x-mixed': '1, 2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'Web:8082',
      'x-forwarded-proto': 'http',
      'constellation-passes': '1',
    })
    expect(head?.headers).not.toHaveProperty('x-private')
    expect(head?.headers).not.toHaveProperty('constellation-hops')
  })

  test('a target in absolute form as a path', async () => {
    let url: string | undefined
    const here = await instance((request, response) => {
      url = `${request.headers.host} ${request.url}`
      response.end()
    })
    const rig = await proxy(aPlan(aMember('here', here.address)))
    await askRaw(rig, 'GET http://web/x HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n')
    expect(url).toBe('web /x')
  })
})

describe('answers come through as they are', () => {
  test('HEAD, no content and not modified, without a body and with their headers', async () => {
    const here = await instance((request, response) => {
      const status = Number(request.url?.slice(1))
      response.writeHead(status, { 'X-Status': status, ...(status === 204 ? {} : { 'Content-Length': 12_345 }) }).end()
    })
    const rig = await proxy(aPlan(aMember('here', here.address)))
    const head = await ask(rig, { method: 'HEAD', path: '/200' })
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '12345', 'x-status': '200' } })
    expect(await ask(rig, { path: '/204' })).toMatchObject({ status: 204, text: '' })
    expect(await ask(rig, { path: '/304' })).toMatchObject({ status: 304, text: '', headers: { 'x-status': '304' } })
  })

  test('compressed bytes, repeated headers and an unusual status', async () => {
    const packed = gzipSync('zipped')
    const here = await instance((_, response) => {
      response.writeHead(418, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Encoding', 'gzip']).end(packed)
    })
    const rig = await proxy(aPlan(aMember('here', here.address)))
    const reply = await ask(rig)
    expect(reply).toMatchObject({ status: 418, headers: { 'set-cookie': ['a=1', 'b=2'], 'content-encoding': 'gzip' } })
    expect(gunzipSync(reply.bytes).toString()).toBe('zipped')
  })

  test('an answer given before the upload ended', async () => {
    const here = await instance((_, response) => response.writeHead(413).end('too much'))
    const rig = await proxy(aPlan(aMember('here', here.address)))
    const sent = httpRequest({ host: '127.0.0.1', port: rig.port, method: 'POST', headers: { Host: 'web' } })
    sent.write(Buffer.alloc(100_000))
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject)
    })
    expect(response.statusCode).toBe(413)
    expect(Buffer.concat(await response.toArray()).toString()).toBe('too much')
    sent.destroy()
  })

  test('requests a client sends without waiting are answered in order', async () => {
    const here = await instance((request, response) => {
      setTimeout(() => response.end(request.url), request.url === '/one' ? 50 : 0)
    })
    const rig = await proxy(aPlan(aMember('here', here.address)))
    const one = (path: string, more: string) => `GET ${path} HTTP/1.1\r\nHost: web\r\n${more}\r\n`
    const received = await askRaw(rig, one('/one', '') + one('/two', '') + one('/three', 'Connection: close\r\n'))
    expect(received.match(/\/(one|two|three)/g)).toEqual(['/one', '/two', '/three'])
  })
})

describe('two proxies', () => {
  test('a container without a port is reached through the proxy of its node', async () => {
    const inner = await instance(says('inside'))
    const there = await proxy(aPlan(aMember('there', inner.address, { local: true })), {}, 'there')
    const here = await proxy(aPlan(aMember('there', { ip: '127.0.0.1', port: there.port }, { via: 'peerProxy' })))
    const reply = await ask(here)
    expect(reply).toMatchObject({ status: 200, text: 'inside' })
    expect(reply.headers['constellation-node']).toBe('there')
  })

  test('never send a request back and forth, even when each points at the other', async () => {
    const a = await proxy(aPlan(), {}, 'a')
    const b = await proxy(aPlan(aMember('a', { ip: '127.0.0.1', port: a.port }, { via: 'peerProxy' })), {}, 'b')
    a.setPlan(aPlan(aMember('b', { ip: '127.0.0.1', port: b.port }, { via: 'peerProxy' })))
    const reply = await ask(a)
    expect(reply.status).toBe(503)
    expect(reply.text).toContain('on b')
    expect(a.stats().attempts + b.stats().attempts).toBe(1)
  })

  test('a loop through an instance that forwards to its proxy ends too', async () => {
    const rig = await proxy(aPlan())
    rig.setPlan(aPlan(aMember('here', { ip: '127.0.0.1', port: rig.port })))
    const reply = await ask(rig)
    expect(reply.status).toBe(508)
    expect(rig.stats().attempts).toBe(8)
  })
})

describe('clients that leave', () => {
  test('take the request to the instance with them', async () => {
    let gone = false
    const slow = await instance(request => request.socket.once('close', () => (gone = true)))
    const rig = await proxy(aPlan(aMember('here', slow.address)))
    const sent = httpRequest({ host: '127.0.0.1', port: rig.port, headers: { Host: 'web' } })
    sent.on('error', () => undefined).end()
    await until(() => slow.hits() === 1)
    sent.destroy()
    await until(() => gone)
    expect(rig.metrics.value('constellation_proxy_requests_total', { service: 'shop:web', code: '499' })).toBe(1)
  })

  test('in the middle of an upload do no harm', async () => {
    const errors: unknown[] = []
    const sink = await instance(request => request.on('error', error => errors.push(error)).resume())
    const rig = await proxy(aPlan(aMember('here', sink.address)))
    const sent = httpRequest({ host: '127.0.0.1', port: rig.port, method: 'POST', headers: { Host: 'web' } })
    sent.on('error', () => undefined).write(Buffer.alloc(200_000))
    await until(() => sink.hits() === 1)
    sent.destroy()
    await until(() => errors.length === 1)
    expect(rig.stats().failOvers).toBe(0)
  })
})

describe('streams', () => {
  test('events go through at once', async () => {
    const ticker = await instance((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
      cleanup.add(() => response.end())
      ticks.push(text => response.write(text))
    })
    const ticks: ((text: string) => void)[] = []
    const rig = await proxy(aPlan(aMember('here', ticker.address)), { stallTimeoutMs: 200 })
    const sent = httpRequest({ host: '127.0.0.1', port: rig.port, headers: { Host: 'web' } })
    sent.end()
    const response = await new Promise<IncomingMessage>(resolve => sent.once('response', resolve))
    let received = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      const before = received
      ticks[0]?.(event)
      await until(() => received === before + event, 1_000)
    }
    // Silence longer than the stall timeout is normal for events.
    await expect(until(() => response.closed, 600)).rejects.toThrow('not true')
    sent.destroy()
  })

  test('an answer that breaks off in the middle never looks complete', async () => {
    const breaking = await instance((_, response) => {
      response.writeHead(200)
      response.write('some', () => response.destroy())
    })
    const rig = await proxy(aPlan(aMember('here', breaking.address)))
    await expect(ask(rig)).rejects.toThrow(/aborted|ECONNRESET|hang up/)
  })

  test('a silent connection is cut', async () => {
    const stalling = await instance((_, response) => {
      response.writeHead(200)
      response.write('some')
    })
    const rig = await proxy(aPlan(aMember('here', stalling.address)), { stallTimeoutMs: 200 })
    await expect(ask(rig)).rejects.toThrow(/aborted|ECONNRESET|hang up/)
  })
})

describe('websocket', () => {
  const handshake =
    'GET /chat HTTP/1.1|Host: web|Connection: keep-alive, Upgrade|Upgrade: WebSocket|Sec-WebSocket-Key: k||'

  /** Switches and sends everything back, in capitals. */
  async function echoes(): Promise<Instance> {
    const echo = await instance(says('no handshake'))
    echo.server.on('upgrade', (request, socket) => {
      const accept = `Sec-WebSocket-Accept: for-${request.headers['sec-websocket-key']}`
      socket.on('error', () => undefined)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${accept}\r\n\r\n`)
      socket.on('data', (chunk: Buffer) => {
        if (chunk.toString() === 'bye') socket.destroy()
        else socket.write(chunk.toString().toUpperCase())
      })
      socket.once('end', () => socket.end())
    })
    return echo
  }

  async function dial(rig: Rig, text: string) {
    const socket = connect(rig.port, '127.0.0.1')
    cleanup.add(() => socket.destroy())
    const state = { text: '', closed: false, socket }
    socket.setEncoding('latin1').on('data', chunk => (state.text += chunk))
    socket.on('error', () => undefined).once('close', () => (state.closed = true))
    socket.write(text.replaceAll('|', '\r\n'))
    return state
  }

  test('bytes pass both ways, the first ones included', async () => {
    const echo = await echoes()
    const rig = await proxy(aPlan(aMember('here', echo.address)))
    const client = await dial(rig, `${handshake}early `)
    await until(() => client.text.endsWith('EARLY '))
    expect(client.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(client.text).toContain('Sec-WebSocket-Accept: for-k\r\n')
    expect(client.text).toContain('constellation-node: here\r\n')
    client.socket.write('late')
    await until(() => client.text.endsWith('EARLY LATE'))
    expect(rig.stats().tunnels).toBe(1)
    client.socket.end()
    await until(() => client.closed && rig.stats().tunnels === 0)
  })

  test('the handshake goes to the next instance when one is gone', async () => {
    const echo = await echoes()
    const rig = await proxy(aPlan(aMember('here', await deadAddress()), aMember('there', echo.address)))
    const client = await dial(rig, `${handshake}x`)
    await until(() => client.text.endsWith('X'))
  })

  test('an instance that does not switch is heard, and the connection ends', async () => {
    const plain = await instance(says('no chat here', 403))
    const rig = await proxy(aPlan(aMember('here', plain.address)))
    const client = await dial(rig, `${handshake}GET /second HTTP/1.1|Host: web||`)
    await until(() => client.closed)
    expect(client.text).toMatch(/^HTTP\/1\.1 403 /)
    expect(client.text).toContain('no chat here')
    expect(plain.hits()).toBe(1)
  })

  test('no instance is a problem document', async () => {
    const client = await dial(await proxy(aPlan()), handshake)
    await until(() => client.closed)
    expect(client.text).toContain('NO_INSTANCE')
  })

  test('an instance that hangs up takes the client with it', async () => {
    const echo = await echoes()
    const rig = await proxy(aPlan(aMember('here', echo.address)))
    const client = await dial(rig, `${handshake}bye`)
    await until(() => client.closed && rig.stats().tunnels === 0)
  })

  test('closing the proxy ends it', async () => {
    const echo = await echoes()
    const rig = await proxy(aPlan(aMember('here', echo.address)))
    const client = await dial(rig, `${handshake}x`)
    await until(() => client.text.endsWith('X'))
    await rig.close()
    await until(() => client.closed)
  })
})

describe('closing', () => {
  test('lets what runs end, then is gone', async () => {
    let answer = (): void => undefined
    const slow = await instance((_, response) => (answer = () => response.end('late')))
    const rig = await proxy(aPlan(aMember('here', slow.address)))
    const agent = new HttpAgent({ keepAlive: true })
    cleanup.add(() => agent.destroy())
    const reply = ask(rig, { agent })
    await until(() => slow.hits() === 1)
    const begun = performance.now()
    const closed = rig.close(10_000)
    answer()
    expect(await reply).toMatchObject({ status: 200, text: 'late' })
    await closed
    expect(performance.now() - begun).toBeLessThan(3_000)
    await expect(ask(rig)).rejects.toThrow('ECONNREFUSED')
  })

  test('cuts what does not end in time', async () => {
    const silent = await instance(() => undefined)
    const rig = await proxy(aPlan(aMember('here', silent.address)))
    const reply = ask(rig)
    const failed = expect(reply).rejects.toThrow(/hang up|ECONNRESET/)
    await until(() => silent.hits() === 1)
    await rig.close(50)
    await failed
  })
})
