/**
 * Many cluster machines on a simulated network and virtual time, lean enough for a thousand of them. They are driven as in
 * production; nothing is recorded but what a listener asks for and the bytes each of them sends.
 */
import { drive } from '../src/controllers/drive.ts'
import { socketInputs } from '../src/controllers/socket-inputs.ts'
import { createClusterMachine } from '../src/core/cluster/index.ts'
import type { ClusterInput, ClusterMachine, ClusterOutput } from '../src/core/cluster/index.ts'
import { lanConfig } from '../src/core/membership/index.ts'
import { encodeProfile } from '../src/core/registry/index.ts'
import { createPrng } from '../src/kernel/prng.ts'
import type { Prng } from '../src/kernel/prng.ts'
import { nodeName } from '../src/kernel/units.ts'
import type { Address, Millis, NodeName } from '../src/kernel/units.ts'
import { aProfile } from '../src/testing/builders.ts'
import { createSimNetwork } from '../src/testing/sim/network.ts'
import { createSimTime } from '../src/testing/sim/time.ts'
import type { SimTime } from '../src/testing/sim/time.ts'
import { countPacket, countStream, noTraffic } from './traffic.ts'
import type { Traffic } from './traffic.ts'

type Untimed<I> = I extends { readonly now: Millis } ? Omit<I, 'now'> : never

export interface VirtualNode {
  readonly number: number
  readonly name: NodeName
  readonly address: Address
  readonly machine: ClusterMachine
  /** What it has sent since it was last set back. */
  traffic: Traffic
  feed(input: Untimed<ClusterInput>): void
  /** As SIGKILL. */
  kill(): void
}

export interface VirtualCluster {
  readonly time: SimTime
  readonly prng: Prng
  /** The running nodes, in order of their start. */
  readonly nodes: ReadonlyMap<NodeName, VirtualNode>
  /** By number: the same number is the same name and address again, with its next boot epoch. Joins the one given. */
  start(number: number, seed?: VirtualNode): VirtualNode
  /** Starts so many, numbered from 0, this many per second, each joining the first. */
  startMany(count: number, perSecond: number): void
}

export type OnOutput = (output: ClusterOutput, node: VirtualNode) => void

/** One way, as between sites of one region. */
export const latencyMs = [1, 10] as const

export function createVirtualCluster(seed: number, onOutput: OnOutput = () => undefined): VirtualCluster {
  const prng = createPrng(seed)
  const time = createSimTime()
  const network = createSimNetwork(time, prng.split(), { latencyMs, loss: 0 })
  const nodes = new Map<NodeName, VirtualNode>()
  const epochs = new Map<NodeName, number>()

  function start(number: number, joins?: VirtualNode): VirtualNode {
    const name = nameOf(number)
    const address = { ip: `10.0.${number >> 8}.${number & 255}`, port: 7946 }
    const profile = aProfile({ nodeId: number.toString(16).padStart(32, '0') })
    const settings = { name, address, meta: encodeProfile(profile), config: lanConfig }
    const machine = createClusterMachine(settings, prng.split())
    const driver = drive<ClusterInput, ClusterOutput>(machine, time, perform)
    const feed = (input: Untimed<ClusterInput>): void => driver.feed({ ...input, now: time.now() })
    const socket = network.attach(address, socketInputs(feed))

    function perform(output: ClusterOutput): void {
      if (output.kind === 'sendPacket') {
        countPacket(node.traffic, output.bytes)
        socket.send(output.to, output.bytes)
      } else if (output.kind === 'dialStream') socket.dial(output.stream, output.to)
      else if (output.kind === 'writeStream') {
        countStream(node.traffic, output.bytes)
        socket.write(output.stream, output.bytes)
      } else if (output.kind === 'closeStream') socket.close(output.stream)
      else onOutput(output, node)
    }

    const node: VirtualNode = {
      number,
      name,
      address,
      machine,
      traffic: noTraffic(),
      feed,
      kill() {
        driver.stop()
        socket.detach()
        nodes.delete(name)
      },
    }
    nodes.set(name, node)
    const epoch = (epochs.get(name) ?? 0) + 1
    epochs.set(name, epoch)
    feed({ kind: 'epochLoaded', epoch })
    feed({ kind: 'started' })
    if (joins !== undefined) feed({ kind: 'join', addresses: [joins.address] })
    return node
  }

  function startMany(count: number, perSecond: number): void {
    const first = start(0)
    for (let number = 1; number < count; number++) {
      time.run(1_000 / perSecond)
      start(number, first)
    }
  }

  return { time, prng, nodes, start, startMany }
}

export function nameOf(number: number): NodeName {
  return nodeName(`node-${String(number).padStart(4, '0')}`)
}
