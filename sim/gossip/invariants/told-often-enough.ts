/** Gossip ends: each node passes each piece of news on only so often. */
import { decodePacket } from '../../../src/core/membership/index.ts'
import { sameAddress } from '../../../src/kernel/units.ts'
import type { Address } from '../../../src/kernel/units.ts'
import type { SimAgent } from '../../../src/testing/sim/cluster-node.ts'
import type { GossipInvariant } from '../invariant.ts'
import { packetParts } from '../packet-parts.ts'

const aliveType = 4
const userType = 8
/** Counting every message of a hundred nodes would cost more than running them. */
const nodesMax = 20

export const toldOftenEnough: GossipInvariant = {
  name: 'told-often-enough',
  claim: 'a node sends each piece of news at most as often as the limit for the size of the cluster says',
  watch(world, report) {
    const told = new WeakMap<SimAgent, Map<string, number>>()
    const departed = new Set<string>()
    const { retransmitMult, retransmitMin } = world.config
    const limit = Math.max(retransmitMin, retransmitMult * Math.ceil(Math.log10(world.sites.length + 1)))

    function count(agent: SimAgent, part: Uint8Array): void {
      const mine = told.get(agent) ?? new Map<string, number>()
      told.set(agent, mine)
      const text = Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1')
      const times = (mine.get(text) ?? 0) + 1
      mine.set(text, times)
      if (times === limit + 1)
        report(agent.host.name, `sent a message of type ${part[0]} ${times} times, limit ${limit}`)
    }

    if (world.sites.length > nodesMax) return {}
    return {
      onOutput(agent, output) {
        // Whoever left is forgotten with all it said; when it is back, every old word is news again.
        if (output.kind === 'memberChanged' && output.member.status === 'left') departed.add(output.member.name)
        if (output.kind === 'sectionChanged' && departed.has(output.owner)) told.delete(agent)
        if (output.kind !== 'sendPacket') return
        // Accusations also travel outside the queue, with every ping to the accused.
        const parts = packetParts(output.bytes)
        if (parts.length === 1 && isBetweenTwo(agent, output.to, output.bytes)) return
        for (const part of parts) if (part[0] === aliveType || part[0] === userType) count(agent, part)
      },
    }
  },
}

/**
 * An alive alone in a packet, about the sender or the receiver: outside the queue an old accusation is answered so, and a
 * member told what others hold of its earlier life.
 */
function isBetweenTwo(agent: SimAgent, to: Address, bytes: Uint8Array): boolean {
  const [message] = decodePacket(bytes).messages
  return message?.kind === 'alive' && (message.node === agent.host.name || sameAddress(message.address, to))
}
