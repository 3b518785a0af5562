/**
 * The lab's wires: one bridge, one network namespace and one veth pair per node. Cuts are iptables rules inside the
 * namespaces. Everything is named `cstlab*`, so nothing else on the machine is touched.
 */
import { attempt, run } from './shell.ts'
import { bridge, bridgeAddress, type LabNode } from './state.ts'

export async function createBridge(): Promise<void> {
  await attempt('ip', ['link', 'del', bridge])
  await run('ip', ['link', 'add', bridge, 'type', 'bridge'])
  await run('ip', ['addr', 'add', `${bridgeAddress}/24`, 'dev', bridge])
  await run('ip', ['link', 'set', bridge, 'up'])
  // A Docker engine in the root namespace drops forwarded traffic and filters bridges; ours must pass.
  await run('iptables', ['-I', 'FORWARD', '-i', bridge, '-o', bridge, '-j', 'ACCEPT'])
}

export async function removeBridge(): Promise<void> {
  await attempt('iptables', ['-D', 'FORWARD', '-i', bridge, '-o', bridge, '-j', 'ACCEPT'])
  await attempt('ip', ['link', 'del', bridge])
}

export async function createNamespace(node: LabNode): Promise<void> {
  await removeNamespace(node)
  await run('ip', ['netns', 'add', node.namespace])
  await run('ip', ['link', 'add', node.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', node.namespace])
  await run('ip', ['link', 'set', node.link, 'master', bridge, 'up'])
  await inNamespace(node, 'ip', ['link', 'set', 'lo', 'up'])
  await inNamespace(node, 'ip', ['addr', 'add', `${node.ip}/24`, 'dev', 'eth0'])
  await inNamespace(node, 'ip', ['link', 'set', 'eth0', 'up'])
  await inNamespace(node, 'ip', ['route', 'add', 'default', 'via', bridgeAddress])
}

export async function removeNamespace(node: LabNode): Promise<void> {
  await attempt('ip', ['netns', 'del', node.namespace])
  await attempt('ip', ['link', 'del', node.link])
}

export async function unplug(node: LabNode): Promise<void> {
  await run('ip', ['link', 'set', node.link, 'down'])
}

export async function plug(node: LabNode): Promise<void> {
  await run('ip', ['link', 'set', node.link, 'up'])
  // The route went with the carrier.
  await attempt('nsenter', [...enter(node), 'ip', 'route', 'replace', 'default', 'via', bridgeAddress])
}

/** `to` no longer hears `from`; published container ports are cut too, they take the FORWARD path. */
export async function cut(from: LabNode, to: LabNode): Promise<void> {
  await inNamespace(to, 'iptables', ['-I', 'INPUT', '-s', from.ip, '-j', 'DROP'])
  await inNamespace(to, 'iptables', ['-I', 'FORWARD', '-s', from.ip, '-j', 'DROP'])
}

export async function healAll(nodes: readonly LabNode[]): Promise<void> {
  for (const node of nodes) {
    await inNamespace(node, 'iptables', ['-F', 'INPUT'])
    for (const other of nodes) {
      const rule = ['iptables', '-D', 'FORWARD', '-s', other.ip, '-j', 'DROP']
      while (await succeeds('nsenter', [...enter(node), ...rule]));
    }
  }
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  )
}

/** `nsenter`, not `ip netns exec`: the latter remounts /sys and then no engine starts. */
export function enter(node: LabNode): string[] {
  return [`--net=/run/netns/${node.namespace}`]
}

async function inNamespace(node: LabNode, program: string, args: readonly string[]): Promise<void> {
  await run('nsenter', [...enter(node), program, ...args])
}
