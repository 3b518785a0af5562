import { expect, test } from 'vitest'
import { aRoutingWish, anInstance } from '../../testing/builders.ts'
import { directAddress } from './direct-address.ts'
import type { Endpoint } from './record.ts'

const mesh = '100.64.0.2'

function published(containerPort: number, hostIp: string, hostPort: number): Endpoint {
  return { protocol: 'tcp', containerPort, hostIp, hostPort }
}

test.each<[string, Endpoint[], number | undefined]>([
  ['on every IPv4 address', [published(80, '0.0.0.0', 8080)], 8080],
  ['on every address', [published(80, '::', 8080)], 8080],
  ['on the mesh address', [published(80, mesh, 8080)], 8080],
  ['on loopback only', [published(80, '127.0.0.1', 8080)], undefined],
  ['on another network only', [published(80, '192.168.1.2', 8080)], undefined],
  ['not at all', [{ protocol: 'tcp', containerPort: 80 }], undefined],
  ['as UDP only', [{ protocol: 'udp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 }], undefined],
  ['with another port', [published(81, '0.0.0.0', 8081)], undefined],
  ['with another port first', [published(79, '0.0.0.0', 8079), published(80, '0.0.0.0', 8080)], 8080],
  ['on loopback and mesh', [published(80, '127.0.0.1', 1), published(80, mesh, 8080)], 8080],
])('an instance published %s is found where others reach it', (_, endpoints, hostPort) => {
  const address = hostPort === undefined ? undefined : { ip: mesh, port: hostPort }
  expect(directAddress(anInstance({ endpoints, routing: aRoutingWish({ port: 80 }) }), mesh)).toEqual(address)
})

test('an instance that is not routed is found at its lowest published port', () => {
  const { routing: _, ...unrouted } = anInstance({
    endpoints: [published(9000, '0.0.0.0', 1), published(5432, '0.0.0.0', 2), { protocol: 'tcp', containerPort: 1 }],
  })
  expect(directAddress(unrouted, mesh)).toEqual({ ip: mesh, port: 2 })
})
