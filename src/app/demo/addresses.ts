/**
 * Where the demo's nodes live: 127.0.0.1, .2 and .3 with the same ports where the system has the whole loopback network
 * (Linux), else three port sets on 127.0.0.1. Ports that are taken are stepped over, so the demo runs beside an agent.
 */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { Port } from '../../kernel/units.ts'

export interface DemoAddress {
  readonly ip: string
  readonly gossip: Port
  readonly raft: Port
  readonly api: Port
  readonly provider: Port
  readonly proxy: Port
  readonly web: Port
}

const usual = { gossip: 7946, raft: 8300, api: 8080, provider: 8081, proxy: 8082, web: 9000 } as const
const stepPorts = 100
const attemptsMax = 50

/** Tries the usual ports first, then each 100 higher. Undefined when 50 sets were taken. */
export async function findDemoAddresses(count: number): Promise<readonly DemoAddress[] | undefined> {
  const several = await allFree('127.0.0.3', [0])
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const sets = Array.from({ length: count }, (_, i) =>
      several ? shifted(`127.0.0.${i + 1}`, attempt) : shifted('127.0.0.1', attempt * count + i),
    )
    const free = await Promise.all(sets.map(({ ip, ...ports }) => allFree(ip, Object.values(ports))))
    if (free.every(Boolean)) return sets
  }
  return undefined
}

function shifted(ip: string, step: number): DemoAddress {
  const by = step * stepPorts
  return {
    ip,
    gossip: usual.gossip + by,
    raft: usual.raft + by,
    api: usual.api + by,
    provider: usual.provider + by,
    proxy: usual.proxy + by,
    web: usual.web + by,
  }
}

async function allFree(ip: string, ports: readonly number[]): Promise<boolean> {
  const free = await Promise.all(ports.flatMap(port => [isFree(ip, port), isFreeForPackets(ip, port)]))
  return free.every(Boolean)
}

function isFree(ip: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: ip, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

function isFreeForPackets(ip: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createSocket('udp4')
    socket.once('error', () => resolve(false))
    socket.bind({ address: ip, port, exclusive: true }, () => socket.close(() => resolve(true)))
  })
}
