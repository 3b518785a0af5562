/** A real serf agent on loopback, ended by the handle that was given out. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { formatAddress } from '../../src/kernel/units.ts'
import type { Address } from '../../src/kernel/units.ts'
import { freeAddress } from '../integration/real-cluster.ts'

export interface SerfAgent {
  readonly address: Address
  /** What serf says about a member: alive, leaving, left, failed. Undefined: unknown to it. */
  statusOf(name: string): Promise<string | undefined>
  join(address: Address): Promise<void>
  leave(): Promise<void>
  kill(): Promise<void>
  /** Everything it printed. */
  output(): string
}

const run = promisify(execFile)

export async function startSerf(name: string, flags: readonly string[] = []): Promise<SerfAgent> {
  const [address, rpc] = [await freeAddress(), await freeAddress()]
  const rpcFlag = `-rpc-addr=${formatAddress(rpc)}`
  const args = ['agent', `-node=${name}`, `-bind=${formatAddress(address)}`, rpcFlag, '-log-level=debug', ...flags]
  const child = spawn('serf', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (printed += String(chunk)))

  return {
    address,
    output: () => printed,
    async statusOf(member) {
      const { stdout } = await run('serf', ['members', rpcFlag, '-format=json', `-name=${member}`])
      const { members } = JSON.parse(stdout) as { members: readonly { status: string }[] | null }
      return members?.[0]?.status
    },
    async join(other) {
      await run('serf', ['join', rpcFlag, formatAddress(other)])
    },
    async leave() {
      await run('serf', ['leave', rpcFlag])
      await exited
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}
