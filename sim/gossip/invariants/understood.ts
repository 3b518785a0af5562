/** Nodes of one kind speak one language. */
import type { GossipInvariant } from '../invariant.ts'

const ordinary = new Set(['badChecksum', 'timeout', 'overflow', 'nameTaken', 'tooManyNewNames'])

export const understood: GossipInvariant = {
  name: 'understood',
  claim: 'what one node says no other refuses as malformed or foreign, and damage is noticed by its checksum',
  watch(_world, report) {
    return {
      onOutput(agent, output) {
        if (output.kind === 'refused' && !ordinary.has(output.reason))
          report(agent.host.name, `refused as ${output.reason}: ${output.detail}`)
        else if (output.kind === 'recordsRefused' && output.reason !== 'unknownOwner')
          report(agent.host.name, `refused a record as ${output.reason}: ${output.detail}`)
      },
    }
  },
}
