/** The socket adapters on loopback: what arrives, what is reported, and that no peer can hold anything without end. */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { tcpProbe } from '../../src/adapters/net/tcp-probe.ts'
import { openStreams } from '../../src/adapters/net/tcp.ts'
import { openDatagrams } from '../../src/adapters/net/udp.ts'
import { textOf, utf8 } from '../../src/kernel/bytes.ts'
import type { Address } from '../../src/kernel/units.ts'
import type { Datagrams } from '../../src/ports/datagrams.ts'
import type { StreamHandlers, Streams } from '../../src/ports/streams.ts'

const anyPort: Address = { ip: '127.0.0.1', port: 0 }
const closers: (() => Promise<unknown>)[] = []
const soon = (check: () => void, timeout = 5_000): Promise<void> => vi.waitFor(check, { timeout, interval: 5 })

afterEach(async () => {
  await Promise.all(closers.splice(0).map(close => close()))
})

interface Mailbox extends Datagrams {
  readonly packets: { readonly from: Address; readonly bytes: Uint8Array }[]
  readonly undeliverable: Address[]
}

async function mailbox(bind: Address = anyPort): Promise<Mailbox> {
  const packets: Mailbox['packets'] = []
  const undeliverable: Address[] = []
  const datagrams = await openDatagrams(bind, {
    onPacket: (from, bytes) => void packets.push({ from, bytes }),
    onUndeliverable: to => void undeliverable.push(to),
  })
  closers.push(() => datagrams.close())
  return { ...datagrams, packets, undeliverable }
}

describe('datagrams', () => {
  test('a packet arrives as it was sent, with its sender; an empty one is ignored', async () => {
    const [a, b] = [await mailbox(), await mailbox()]
    a.send(b.local, new Uint8Array())
    a.send(b.local, new Uint8Array(60_000).fill(7))
    a.send(b.local, utf8('hello'))
    await soon(() => expect(b.packets).toHaveLength(2))
    expect(b.packets.map(({ from }) => from)).toEqual([a.local, a.local])
    expect(b.packets[0]?.bytes).toHaveLength(60_000)
    expect(textOf(b.packets[1]?.bytes ?? new Uint8Array())).toBe('hello')
  })

  test('a node bound to every address knows an IPv4 peer by one name and can answer it', async () => {
    const [a, b] = [await mailbox(), await mailbox({ ip: '::', port: 0 })]
    a.send({ ip: '127.0.0.1', port: b.local.port }, utf8('hi'))
    await soon(() => expect(b.packets).toHaveLength(1))
    expect(b.packets[0]?.from).toEqual(a.local)
    b.send(a.local, utf8('ho'))
    await soon(() => expect(a.packets).toHaveLength(1))
  })

  test('what cannot leave never throws: no route and no such port are reported, too large is lost', async () => {
    const a = await mailbox()
    a.send({ ip: '127.0.0.1', port: 0 }, utf8('x'))
    a.send(a.local, new Uint8Array(70_000))
    a.send({ ip: 'fd00::1', port: 7946 }, utf8('x'))
    a.send(a.local, utf8('still here'))
    await soon(() => expect(a.packets).toHaveLength(1))
    expect(a.undeliverable).toEqual([{ ip: '127.0.0.1', port: 0 }])
  })

  test('after closing, sending is nothing and closing again is harmless', async () => {
    const a = await mailbox()
    await a.close()
    a.send(a.local, utf8('x'))
    await a.close()
    expect(a.packets).toEqual([])
  })

  test('a taken port and a foreign address are told apart', async () => {
    const a = await mailbox()
    await expect(mailbox(a.local)).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      hint: expect.stringContaining('ss -'),
    })
    await expect(mailbox({ ip: '192.0.2.1', port: 7946 })).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE' })
  })
})

interface Recorder extends Streams {
  readonly log: string[]
  readonly received: Map<string, number>
}

async function streams(
  over: Partial<StreamHandlers> = {},
  maxInbound = 10,
  bind: Address = anyPort,
): Promise<Recorder> {
  const log: string[] = []
  const received = new Map<string, number>()
  const opened = await openStreams(
    bind,
    { maxInbound, connectTimeoutMs: 300 },
    {
      onAccepted: (stream, from) => {
        log.push(`accepted ${stream}`)
        over.onAccepted?.(stream, from)
      },
      onConnected: stream => {
        log.push(`connected ${stream}`)
        over.onConnected?.(stream)
      },
      onData: (stream, bytes) => {
        received.set(stream, (received.get(stream) ?? 0) + bytes.length)
        over.onData?.(stream, bytes)
      },
      onClosed: (stream, reason) => log.push(reason === undefined ? `closed ${stream}` : `closed ${stream}: ${reason}`),
    },
  )
  closers.push(() => opened.shutdown())
  return { ...opened, log, received }
}

describe('streams', () => {
  test('a dialled peer sees us come from the address we are bound to', async () => {
    const seen: string[] = []
    const server = await streams({ onAccepted: (_, from) => void seen.push(from.ip) })
    for (const ip of ['127.0.0.2', '0.0.0.0']) (await streams({}, 10, { ip, port: 0 })).dial('out-1', server.local)
    await soon(() => expect(seen.toSorted()).toEqual(['127.0.0.1', '127.0.0.2']))
  })

  test('a question, its answer and a polite end: both sides hear of what the other did, none of what it did itself', async () => {
    const server: Recorder = await streams({
      onData: stream => {
        server.write(stream, utf8('pong'))
        server.close(stream)
      },
    })
    const client: Recorder = await streams({ onConnected: stream => client.write(stream, utf8('ping')) })
    client.dial('out-1', server.local)
    await soon(() => expect(client.log).toEqual(['connected out-1', 'closed out-1']))
    expect(client.received.get('out-1')).toBe(4)
    expect(server.log).toEqual(['accepted in-1'])
  })

  test('four megabytes written before the end arrive whole', async () => {
    const server: Recorder = await streams()
    const client: Recorder = await streams({
      onConnected: stream => {
        client.write(stream, new Uint8Array(4 * 1024 * 1024))
        client.close(stream)
      },
    })
    client.dial('out-1', server.local)
    await soon(() => expect(server.log).toEqual(['accepted in-1', 'closed in-1']))
    expect(server.received.get('in-1')).toBe(4 * 1024 * 1024)
  })

  test('nobody listening is reported', async () => {
    const gone = await streams()
    await gone.shutdown()
    const client = await streams()
    client.dial('out-1', gone.local)
    await soon(() => expect(client.log).toEqual(['closed out-1: ECONNREFUSED']))
    client.dial('out-2', { ip: '127.0.0.1', port: 70_000 })
    await soon(() => expect(client.log[1]).toMatch(/^closed out-2: /))
  })

  test('a dialled stream that is closed before it is connected says nothing more', async () => {
    const server = await streams()
    const client = await streams()
    client.dial('out-1', server.local)
    client.close('out-1')
    client.dial('out-2', server.local)
    await soon(() => expect(client.log).toEqual(['connected out-2']))
  })

  test('more connections than allowed are cut at once, and a place is free again when one ends', async () => {
    const server = await streams({}, 2)
    const peers = [1, 2, 3].map(() => connect(server.local.port, '127.0.0.1').on('error', () => undefined))
    const ended = new Set<Socket>()
    for (const peer of peers) peer.once('close', () => ended.add(peer))
    await soon(() => expect(ended.size).toBe(1))
    expect(server.log).toEqual(['accepted in-1', 'accepted in-2'])
    for (const peer of peers) peer.destroy()
    await soon(() => expect(server.log).toHaveLength(4))
    const next = connect(server.local.port, '127.0.0.1')
    await soon(() => expect(server.log).toContain('accepted in-3'))
    next.destroy()
  })

  test('a peer that never reads cannot make us hold more than the limit', async () => {
    const server: Recorder = await streams({
      onAccepted: stream => {
        for (let i = 0; i < 20; i++) server.write(stream, new Uint8Array(1024 * 1024))
      },
    })
    const deaf = connect(server.local.port, '127.0.0.1')
      .pause()
      .on('error', () => undefined)
    await soon(() => expect(server.log).toEqual(['accepted in-1', 'closed in-1: the peer does not read']))
    deaf.destroy()
  })

  test('a peer that never reads is cut off a few seconds after the end', async () => {
    const server: Recorder = await streams(
      {
        onAccepted: stream => {
          server.write(stream, new Uint8Array(8 * 1024 * 1024 - 1))
          server.close(stream)
        },
      },
      1,
    )
    const deaf = connect(server.local.port, '127.0.0.1')
      .pause()
      .on('error', () => undefined)
    await soon(() => expect(server.log).toEqual(['accepted in-1']))
    // The only place is taken until the adapter gives up on the first peer.
    await vi.waitFor(
      () => {
        connect(server.local.port, '127.0.0.1').on('error', () => undefined)
        expect(server.log).toContain('accepted in-2')
      },
      { timeout: 9_000, interval: 200 },
    )
    deaf.destroy()
  })

  test('shutting down ends everything without another word', async () => {
    const server = await streams()
    const client = await streams()
    client.dial('out-1', server.local)
    await soon(() => expect(server.log).toEqual(['accepted in-1']))
    await server.shutdown()
    await server.shutdown()
    expect(server.log).toEqual(['accepted in-1'])
    await soon(() => expect(client.log.at(-1)).toMatch(/^closed out-1/))
  })

  test('a taken port is told', async () => {
    const server = await streams()
    await expect(streams({}, 1, server.local)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' })
  })
})

test('a probe tells an open port, a closed one and silence apart', async () => {
  const server = createServer(socket => socket.on('error', () => undefined))
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  // Port and family of a listening TCP server.
  const { port } = server.address() as AddressInfo
  const address = { ip: '127.0.0.1', port }
  expect(await tcpProbe(address, 1_000)).toBe('answers')
  await new Promise(resolve => server.close(resolve))
  expect(await tcpProbe(address, 1_000)).toBe('refused')
  expect(await tcpProbe({ ip: '127.0.0.1', port: 70_000 }, 1_000)).toBe('silent')
})
