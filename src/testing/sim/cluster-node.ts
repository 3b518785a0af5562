/**
 * One node with one agent at a time: a name, an address, a clock and a disk that outlive the agent, and the agent's
 * cluster machine driven as in production. What the machine asks for is done at once; nothing here ever awaits, so a run
 * has no order but that of the event heap.
 */
import { epochAfter, epochFileName, epochText, parseEpoch, standInEpoch } from '../../controllers/cluster-epoch.ts'
import { drive } from '../../controllers/drive.ts'
import { socketInputs } from '../../controllers/socket-inputs.ts'
import { createClusterMachine } from '../../core/cluster/index.ts'
import type { ClusterInput, ClusterMachine, ClusterMachineSettings, ClusterOutput } from '../../core/cluster/index.ts'
import type { Prng } from '../../kernel/prng.ts'
import type { Address, Millis, NodeName } from '../../kernel/units.ts'
import type { SimClock } from './clock.ts'
import type { SimDisk } from './disk.ts'
import type { SimNetwork, SimSocket } from './network.ts'
import { createSimProcess } from './process.ts'
import type { SimProcess } from './process.ts'
import { readText, replaceFile } from './state-files.ts'

/** An input without its time: the node stamps it with its own clock. */
export type Untimed<I> = I extends { readonly now: Millis } ? Omit<I, 'now'> : never

/** What survives the agent. */
export interface SimHost {
  readonly name: NodeName
  readonly address: Address
  readonly clock: SimClock
  readonly disk: SimDisk
}

/** One run of the agent, from its start to its end. */
export interface SimAgent {
  readonly host: SimHost
  readonly machine: ClusterMachine
  readonly process: SimProcess
  /** The epoch is on disk and the sockets are open. */
  readonly isUp: boolean
  /** Ignored before it is up. */
  feed(input: Untimed<ClusterInput>): void
  /** As SIGKILL; without power the peers are not even refused. */
  kill(how: 'process' | 'power'): void
}

export interface SimAgentSettings {
  readonly host: SimHost
  readonly network: SimNetwork
  readonly prng: Prng
  /** Label, keys and timing come in here. */
  readonly cluster: Omit<ClusterMachineSettings, 'name' | 'address'>
  readonly onUp: (agent: SimAgent) => void
  /** Told of every output after it was performed, with the input that caused it. */
  readonly onOutput: (agent: SimAgent, output: ClusterOutput, cause: Cause) => void
}

export type Cause = ClusterInput['kind']

export function startSimAgent({ host, network, prng, cluster, onUp, onOutput }: SimAgentSettings): SimAgent {
  const { name, address, clock, disk } = host
  const process = createSimProcess(clock)
  const machine = createClusterMachine({ ...cluster, name, address }, prng)
  let socket: SimSocket | undefined
  let cause: Cause = 'tick'
  const watched = {
    step(input: ClusterInput) {
      cause = input.kind
      return machine.step(input)
    },
    nextDeadline: () => machine.nextDeadline(),
  }
  const driver = drive<ClusterInput, ClusterOutput>(watched, process.clock, perform)

  const tell = (input: Untimed<ClusterInput>): void => driver.feed({ ...input, now: clock.now() })
  const hear = (input: Untimed<ClusterInput>): void => process.enter(() => tell(input))

  function perform(output: ClusterOutput): void {
    if (output.kind === 'sendPacket') socket?.send(output.to, output.bytes)
    else if (output.kind === 'dialStream') socket?.dial(output.stream, output.to)
    else if (output.kind === 'writeStream') socket?.write(output.stream, output.bytes)
    else if (output.kind === 'closeStream') socket?.close(output.stream)
    else if (output.kind === 'persistEpoch') replaceFile(disk, epochFileName, epochText(output.epoch), () => undefined)
    onOutput(agent, output, cause)
  }

  /** As controllers/cluster-epoch.ts begins. */
  function boot(): void {
    const text = readText(disk, epochFileName)
    const stored = text === undefined ? 0 : parseEpoch(text)
    const counted = epochAfter(stored ?? 0)
    if (stored === undefined) return keep(standInEpoch(counted, clock.wallNow()))
    replaceFile(disk, epochFileName, epochText(counted), ok =>
      process.enter(() => (ok ? goUp(counted) : keep(standInEpoch(counted, clock.wallNow())))),
    )
  }

  /** The agent does not wait for a disk that has already failed it. */
  function keep(standIn: number): void {
    replaceFile(disk, epochFileName, epochText(standIn), () => undefined)
    goUp(standIn)
  }

  function goUp(epoch: number): void {
    tell({ kind: 'epochLoaded', epoch })
    socket = network.attach(address, socketInputs(hear))
    tell({ kind: 'started' })
    onUp(agent)
  }

  const agent: SimAgent = {
    host,
    machine,
    process,
    get isUp() {
      return socket !== undefined && process.state !== 'gone'
    },
    feed(input) {
      if (agent.isUp) hear(input)
    },
    kill(how) {
      driver.stop()
      process.kill()
      disk.crash()
      if (how === 'power') socket?.vanish()
      else socket?.detach()
    },
  }
  boot()
  return agent
}
