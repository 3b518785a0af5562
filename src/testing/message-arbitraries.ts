/** Any well-formed message of the gossip protocol, for property tests. Ports are 1 or more where 0 would mean "not told". */
import * as fc from 'fast-check'
import { ipFromBytes, metaBytesMax } from '../core/membership/index.ts'
import type { NodeState, PacketMessage, ProbeSource, PushPull } from '../core/membership/index.ts'
import { isNodeName } from '../kernel/units.ts'

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const port = fc.integer({ min: 1, max: 0xffff })
const ip = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(bytes => ipFromBytes(bytes) ?? '')
const address = fc.record({ ip, port })
const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' })
const versions = fc.uint8Array({ maxLength: 6 })

export const anyNodeName: fc.Arbitrary<string> = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter(text => isNodeName(text) && new TextEncoder().encode(text).length <= 128)

const nameOrEmpty = fc.oneof(anyNodeName, fc.constant(''))
const source: fc.Arbitrary<{ readonly source?: ProbeSource }> = fc.oneof(
  fc.constant({}),
  fc.record({ source: fc.record({ address, node: nameOrEmpty }) }),
)

const description = fc.record({ incarnation: uint32, address, meta: bytes(metaBytesMax), versions })
const accusation = fc.record({ incarnation: uint32, node: anyNodeName, from: nameOrEmpty })

export const anyPacketMessage: fc.Arbitrary<PacketMessage> = fc.oneof(
  fc
    .tuple(fc.record({ seqNo: uint32, node: nameOrEmpty }), source)
    .map(([ping, from]) => ({ kind: 'ping' as const, ...ping, ...from })),
  fc
    .tuple(fc.record({ seqNo: uint32, target: address, node: nameOrEmpty, wantsNack: fc.boolean() }), source)
    .map(([ping, from]) => ({ kind: 'indirectPing' as const, ...ping, ...from })),
  fc.record({ kind: fc.constant('ack' as const), seqNo: uint32, payload: bytes(400) }),
  fc.record({ kind: fc.constant('nack' as const), seqNo: uint32 }),
  accusation.map(accused => ({ kind: 'suspect' as const, ...accused })),
  accusation.map(accused => ({ kind: 'dead' as const, ...accused })),
  fc.tuple(anyNodeName, description).map(([node, described]) => ({ kind: 'alive' as const, node, ...described })),
  fc.record({ kind: fc.constant('user' as const), bytes: bytes(1100) }),
)

const anyNodeState: fc.Arbitrary<NodeState> = fc
  .tuple(
    anyNodeName,
    description,
    fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const, 'left' as const),
  )
  .map(([name, described, status]) => ({ name, ...described, status }))

export const anyPushPull: fc.Arbitrary<PushPull> = fc.record({
  kind: fc.constant('pushPull' as const),
  join: fc.boolean(),
  nodes: fc.array(anyNodeState, { maxLength: 8 }),
  userState: bytes(2000),
})
