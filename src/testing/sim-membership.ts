/**
 * Membership machines on a simulated network, driven as in production: the same driver, the same handlers, other sockets
 * and another clock. One seed replays a run; `digest` proves it. Every packet is held to its budget on the way out.
 */
import { createHash } from 'node:crypto'
import { drive } from '../controllers/drive.ts'
import { socketInputs } from '../controllers/socket-inputs.ts'
import { createMembership, membershipProfiles } from '../core/membership/index.ts'
import type { Input, Membership, MembershipConfig, MemberStatus, Output, Security } from '../core/membership/index.ts'
import { createPrng } from '../kernel/prng.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Address, Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import { createSimNetwork } from './sim/network.ts'
import type { NetworkFaults, SimNetwork } from './sim/network.ts'
import { createSimTime } from './sim/time.ts'
import type { SimTime } from './sim/time.ts'

/** An input without its time: the simulation knows what time it is. */
type Untimed<I> = I extends { readonly now: Millis } ? Omit<I, 'now'> : never

export interface SimNode {
  readonly name: string
  readonly address: Address
  readonly machine: Membership
  /** Everything the machine asked for, except sending. */
  readonly events: readonly SimEvent[]
  feed(input: Untimed<Input>): void
  /** What this node holds of a member; undefined when it does not know it. */
  statusOf(name: string): MemberStatus | undefined
  /** As SIGSTOP: nothing runs, the sockets go on filling. */
  pause(): void
  resume(): void
  /** As SIGKILL. */
  kill(): void
}

export interface SimEvent {
  readonly at: Millis
  readonly output: Output
}

export interface SimNodeOptions {
  readonly address?: Address
  readonly meta?: Uint8Array
  readonly config?: Partial<MembershipConfig>
  readonly localState?: Uint8Array
  readonly label?: string
  readonly security?: Security
  /** Told of every output after it was performed. */
  readonly onOutput?: (output: Output, node: SimNode) => void
}

export interface SimCluster {
  readonly time: SimTime
  readonly network: SimNetwork
  /** The running nodes, in order of their start. */
  readonly nodes: ReadonlyMap<string, SimNode>
  start(name: string, options?: SimNodeOptions): SimNode
  /** Over all outputs so far, with their times. */
  digest(): string
}

export const healthyNetwork: NetworkFaults = { latencyMs: [1, 10], loss: 0 }

const gossipPort = 7946

export function createSimCluster(seed: number, faults: NetworkFaults = healthyNetwork): SimCluster {
  const prng = createPrng(seed)
  const time = createSimTime()
  const network = createSimNetwork(time, prng.split(), faults)
  const nodes = new Map<string, SimNode>()
  const trace = createHash('sha256')
  let started = 0

  function start(name: string, options: SimNodeOptions = {}): SimNode {
    started++
    const address = options.address ?? { ip: `10.0.${started >> 8}.${started & 255}`, port: gossipPort }
    const node = startNode({ name, address, options, time, network, prng: prng.split(), record, stopped })
    nodes.set(name, node)
    node.feed({ kind: 'started' })
    return node
  }

  function record(node: string, output: Output): void {
    trace.update(`${time.now()} ${node} ${output.kind} `)
    if ('bytes' in output) trace.update(output.bytes)
    else trace.update(JSON.stringify(output))
  }

  function stopped(node: SimNode): void {
    if (nodes.get(node.name) === node) nodes.delete(node.name)
  }

  return { time, network, nodes, start, digest: () => trace.copy().digest('hex') }
}

interface NodeParts {
  readonly name: string
  readonly address: Address
  readonly options: SimNodeOptions
  readonly time: SimTime
  readonly network: SimNetwork
  readonly prng: ReturnType<typeof createPrng>
  readonly record: (node: string, output: Output) => void
  readonly stopped: (node: SimNode) => void
}

function startNode({ name, address, options, time, network, prng, record, stopped }: NodeParts): SimNode {
  const config = { ...membershipProfiles.tailnet, ...options.config }
  const meta = options.meta ?? new Uint8Array(0)
  const localState = options.localState ?? new Uint8Array(0)
  const { label, security } = options
  const protection = { ...(label === undefined ? {} : { label }), ...(security && { security }) }
  const machine = createMembership(
    { name, address, meta, config, ...protection },
    { localState: () => localState },
    prng,
  )
  const events: SimEvent[] = []
  const rest = pausable(time)

  const socket = network.attach(address, socketInputs(feed))
  const driver = drive<Input, Output>(machine, rest.clock, perform)

  function feed(input: Untimed<Input>): void {
    rest.whenAwake('input', () => driver.feed({ ...input, now: time.now() }))
  }

  function perform(output: Output): void {
    record(name, output)
    if (output.kind === 'sendPacket') sendPacket(output.to, output.bytes)
    else if (output.kind === 'dialStream') socket.dial(output.stream, output.to)
    else if (output.kind === 'writeStream') socket.write(output.stream, output.bytes)
    else if (output.kind === 'closeStream') socket.close(output.stream)
    else events.push({ at: time.now(), output })
    options.onOutput?.(output, node)
  }

  function sendPacket(to: Address, bytes: Uint8Array): void {
    if (bytes.length > config.packetBudgetBytes)
      throw new Error(`${name} sent ${bytes.length} bytes to ${formatAddress(to)}, the budget is smaller`)
    socket.send(to, bytes)
  }

  const node: SimNode = {
    name,
    address,
    machine,
    events,
    feed,
    statusOf: other => machine.members().find(member => member.name === other)?.status,
    pause: () => rest.pause(),
    resume: () => rest.resume(),
    kill() {
      driver.stop()
      socket.detach()
      stopped(node)
    },
  }
  return node
}

interface Pausable {
  readonly clock: Clock
  whenAwake(kind: 'timer' | 'input', action: () => void): void
  pause(): void
  resume(): void
}

/** After a pause the timers come before what waits in the sockets, as in Node's event loop. */
function pausable(time: SimTime): Pausable {
  let isPaused = false
  let waiting: { readonly kind: 'timer' | 'input'; readonly action: () => void }[] = []

  function whenAwake(kind: 'timer' | 'input', action: () => void): void {
    if (isPaused) waiting.push({ kind, action })
    else action()
  }

  return {
    clock: {
      now: () => time.now(),
      wallNow: () => time.wallNow(),
      at: (deadline, action) => time.at(deadline, () => whenAwake('timer', action)),
    },
    whenAwake,
    pause() {
      isPaused = true
    },
    resume() {
      isPaused = false
      const held = waiting
      waiting = []
      for (const { kind, action } of held) if (kind === 'timer') action()
      for (const { kind, action } of held) if (kind === 'input') action()
    },
  }
}
