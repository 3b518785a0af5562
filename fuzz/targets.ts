/** Every decoder that reads what others wrote: packets, streams and what lies inside them. */
import { readFileSync } from 'node:fs'
import { createClusterMachine } from '../src/core/cluster/index.ts'
import { decodeKeyMessage, encodeKeyMessage } from '../src/core/cluster/key-messages.ts'
import {
  createProtection,
  createStreamDecoder,
  decodePackable,
  decodePacket,
  defaultStreamLimits,
  encodePackable,
  encodeStreamUser,
  lanConfig,
} from '../src/core/membership/index.ts'
import { decodeLzw } from '../src/core/membership/lzw-decode.ts'
import { wrapPacket, wrapStream } from '../src/core/membership/wrap.ts'
import { decodeProfile, encodeProfile, instanceKey } from '../src/core/registry/index.ts'
import { decodeDelta, encodeDelta } from '../src/core/registry/delta.ts'
import { createDigester, decodeDigest, encodeDigest } from '../src/core/registry/digest.ts'
import { encodeBody } from '../src/core/registry/encode-record.ts'
import { format } from '../src/core/registry/envelope.ts'
import { createSectionEncoder } from '../src/core/registry/section-codec.ts'
import type { HeldRecord, HeldSection } from '../src/core/registry/section.ts'
import { decodeState, encodeWholeState } from '../src/core/registry/state-exchange.ts'
import { fromHex, utf8 } from '../src/kernel/bytes.ts'
import { createPrng } from '../src/kernel/prng.ts'
import { nodeName } from '../src/kernel/units.ts'
import { aProfile, anInstance } from '../src/testing/builders.ts'
import { literalLzw } from '../src/testing/literal-lzw.ts'
import { aGossipKey, aSecurity } from '../src/testing/sim-cipher.ts'
import type { FuzzTarget } from './target.ts'

const serf = JSON.parse(
  readFileSync(new URL('../src/core/membership/data/serf.json', import.meta.url), 'utf8'),
) as Record<'packets' | 'streams', readonly { readonly hex: string }[]>
const packets = serf.packets.map(sample => fromHex(sample.hex))
const streams = [...serf.streams.map(sample => fromHex(sample.hex)), encodeStreamUser(utf8('hello'))]

/** While keys are introduced both what is sealed and what is in clear is read, so every path is open. */
const guarded = createProtection('blue', aSecurity([aGossipKey(1)], { verifyIncoming: false }))

const owner = nodeName('node-a')
const records = ['web', 'db', 'cache'].map((containerId, i): HeldRecord => {
  const body = { kind: 'instance', instance: anInstance({ containerId }) } as const
  return { key: instanceKey(containerId), version: { epoch: 3, revision: i + 1 }, body, encoded: encodeBody(body) }
})
const section: HeldSection = {
  owner,
  version: { epoch: 3, revision: 3 },
  wholeAt: { epoch: 3, revision: 3 },
  complete: true,
  records: new Map(records.map(record => [record.key, record])),
}
const delta = encodeDelta({ owner, direct: false, records }, 0)
const state = encodeWholeState(owner, [createSectionEncoder()(section, 0)])
const digest = encodeDigest({ sender: owner, sections: [createDigester()(section, 0)] })
const keyMessages = [
  encodeKeyMessage({ kind: 'request', id: 'a1', from: owner, operation: { kind: 'install', key: aGossipKey(1) } }),
  encodeKeyMessage({ kind: 'request', id: 'a2', from: owner, operation: { kind: 'use', fingerprint: '0123456789ab' } }),
  encodeKeyMessage({ kind: 'reply', id: 'a1', from: owner, reply: { fingerprints: ['0123456789ab'], problem: 'no' } }),
]

const packed: FuzzTarget = {
  name: 'packed values',
  samples: [
    encodePackable({ a: [1, -1, 1.5, null, true], b: { c: 'text', d: Uint8Array.of(1, 2, 3) }, e: 2 ** 40 }),
    encodePackable(['x'.repeat(40), new Uint8Array(300), { n: [[[]]] }]),
  ],
  decode: bytes => void decodePackable(bytes),
}

/** A machine that lives through all inputs: what it gathers from them is what an attacker could make it hold. */
function machineTarget(): FuzzTarget {
  const address = { ip: '10.0.0.1', port: 7946 }
  const machine = createClusterMachine(
    { name: owner, address, meta: encodeProfile(aProfile()), config: lanConfig },
    createPrng(1),
  )
  let now = 0
  machine.step({ kind: 'started', now })
  return {
    name: 'whole machine, packets',
    samples: [...packets, delta, state, digest, ...keyMessages],
    decode(bytes, prng) {
      now += 1
      const from = { ip: `10.0.${prng.below(4)}.${prng.below(250)}`, port: 7946 }
      machine.step({ kind: 'packetReceived', now, from, bytes })
      if ((machine.nextDeadline() ?? Infinity) <= now) machine.step({ kind: 'tick', now })
    },
  }
}

export function allTargets(): readonly FuzzTarget[] {
  return [
    { name: 'packets', samples: packets, decode: bytes => void decodePacket(bytes) },
    {
      name: 'streams, in chunks',
      samples: streams,
      decode(bytes, prng) {
        const decoder = createStreamDecoder()
        const chunkBytes = 1 + prng.below(200)
        for (let at = 0; at < bytes.length; at += chunkBytes) decoder.push(bytes.subarray(at, at + chunkBytes))
      },
    },
    {
      name: 'packets under a label and a key',
      samples: packets.map(bytes => wrapPacket(bytes, { protection: guarded, compress: true, checksum: true })),
      decode: bytes => void decodePacket(bytes, guarded),
    },
    {
      name: 'streams under a label and a key',
      samples: streams.map(bytes => wrapStream(bytes, 'opener', { protection: guarded, compress: true })),
      decode: bytes => void createStreamDecoder(defaultStreamLimits, guarded).push(bytes),
    },
    {
      name: 'compressed data',
      samples: [literalLzw(utf8('the same the same the same')), ...packets],
      decode: bytes => void decodeLzw(bytes, 65_536),
    },
    packed,
    { name: 'node profiles', samples: [encodeProfile(aProfile())], decode: bytes => void decodeProfile(bytes) },
    { name: 'registry deltas', samples: [delta], decode: bytes => void decodeDelta(bytes, 0) },
    { name: 'registry states', samples: [state], decode: bytes => void decodeState(format.wholeState, bytes, 0) },
    { name: 'registry digests', samples: [digest], decode: bytes => void decodeDigest(bytes) },
    { name: 'key messages', samples: keyMessages, decode: bytes => void decodeKeyMessage(bytes) },
    machineTarget(),
  ]
}
