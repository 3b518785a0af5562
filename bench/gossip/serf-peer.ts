/** A serf agent with its default profile, which is that of a LAN; what it learns is read from its log on stdout. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { formatAddress } from '../../src/kernel/units.ts'
import { createNotes } from './fleet.ts'
import type { Held, Peer, Seat } from './fleet.ts'

const eventPattern = /serf: EventMember(Join|Failed|Leave): (\S+)/
const suspectPattern = /memberlist: Suspect (\S+) has failed/
const heldAfter: Readonly<Record<string, Held>> = { Join: 'alive', Failed: 'dead', Leave: 'dead' }

export function startSerf(seat: Seat, joins: readonly Seat[]): Peer {
  const rpc = { ip: seat.ip, port: seat.port + 1 }
  const where = [`-node=${seat.name}`, `-bind=${formatAddress(seat)}`, `-rpc-addr=${formatAddress(rpc)}`]
  const others = joins.map(other => `-retry-join=${formatAddress(other)}`)
  const args = ['agent', ...where, ...others, '-retry-interval=1s', '-log-level=info']
  const child = spawn('serf', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  const notes = createNotes()
  createInterface({ input: child.stdout }).on('line', line => {
    const [, event, name] = eventPattern.exec(line) ?? []
    const held = heldAfter[event ?? '']
    if (name !== undefined && held !== undefined) notes.note(name, held)
    const suspect = suspectPattern.exec(line)?.[1]
    if (suspect !== undefined) notes.note(suspect, 'suspect')
  })
  return {
    seat,
    ...notes,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
