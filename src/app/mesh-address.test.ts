import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { tailnetAddress } from './mesh-address.ts'

function ipv4(address: string): NetworkInterfaceInfo {
  return { address, family: 'IPv4', netmask: '255.255.255.255', mac: '', internal: false, cidr: `${address}/32` }
}

test.each([
  ['the tailscale interface wins', { eth0: [ipv4('192.168.1.4')], tailscale0: [ipv4('100.101.1.2')] }, '100.101.1.2'],
  ['any interface in the range will do', { eth0: [ipv4('192.168.1.4')], ts9: [ipv4('100.64.0.9')] }, '100.64.0.9'],
  ['a WARP interface is never the mesh', { CloudflareWARP: [ipv4('100.96.0.1')] }, undefined],
  ['100.128.0.1 lies outside 100.64.0.0/10', { eth0: [ipv4('100.128.0.1')] }, undefined],
  ['no tailnet, no guess', { eth0: [ipv4('10.0.0.2')] }, undefined],
])('%s', (_, interfaces, expected) => {
  expect(tailnetAddress(interfaces)).toBe(expected)
})
