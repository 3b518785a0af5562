/** A member of ours: peer.ts, compiled, in a process of its own. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { formatAddress } from '../../src/kernel/units.ts'
import { spawnCompiled } from '../compiled.ts'
import { createNotes } from './fleet.ts'
import type { Peer, Seat } from './fleet.ts'
import type { PeerLine } from './peer.ts'

export interface OurPeer extends Peer {
  /** Its one record changes. */
  publish(): void
}

export function startOurs(
  seat: Seat,
  joins: readonly Seat[],
  onLine: (line: PeerLine) => void = () => undefined,
): OurPeer {
  const child = spawnCompiled('gossip/peer', [JSON.stringify({ seat, seeds: joins.map(formatAddress) })])
  const exited = once(child, 'exit')
  const notes = createNotes()
  createInterface({ input: child.stdout }).on('line', text => {
    // The other end is peer.ts, which is compiled against the same type.
    const line = JSON.parse(text) as PeerLine
    if (line.kind === 'member') notes.note(line.name, line.status === 'left' ? 'dead' : line.status)
    onLine(line)
  })
  return {
    seat,
    ...notes,
    publish: () => void child.stdin.write('publish\n'),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
