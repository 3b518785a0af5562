/** What is too large for the mesh would be fragmented or lost. */
import { formatAddress } from '../../../src/kernel/units.ts'
import type { GossipInvariant } from '../invariant.ts'

/** Stated here once more: the limit is a promise to the network, whatever the configuration says. */
const budgetBytes = 1_200

export const packetBudget: GossipInvariant = {
  name: 'packet-budget',
  claim: 'no packet is larger than 1,200 bytes',
  watch(_world, report) {
    return {
      onOutput(agent, output) {
        if (output.kind === 'sendPacket' && output.bytes.length > budgetBytes)
          report(agent.host.name, `sent ${output.bytes.length} bytes to ${formatAddress(output.to)}`)
      },
    }
  },
}
