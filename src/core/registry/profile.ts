/** NodeProfile ↔ member metadata. Every agent decodes it from every alive message, so it stays far below 512 bytes. */
import { fromHex, toHex } from '../../kernel/bytes.ts'
import { invariant } from '../../kernel/invariant.ts'
import { format, seal, unseal } from './envelope.ts'
import { fieldReader } from './field-reader.ts'
import type { NodeProfile } from './record.ts'

/** memberlist's limit for metadata. */
const metaSizeBytesMax = 512
const nodeIdPattern = /^[0-9a-f]{32}$/
const ipPattern = /^[0-9a-fA-F:.]{2,45}$/

/** Throws when the profile is not one: it is our own, so that is a bug. */
export function encodeProfile(profile: NodeProfile): Uint8Array {
  invariant(nodeIdPattern.test(profile.nodeId), 'a node id is 128 bit in lower-case hexadecimal')
  const meta = seal(format.profile, {
    i: fromHex(profile.nodeId),
    a: profile.apiPort,
    x: profile.proxyPort,
    r: profile.raftPort,
    p: profile.priority,
    w: profile.role === 'witness' ? true : undefined,
    u: profile.publicIp,
    c: profile.cordoned,
  })
  invariant(meta.length <= metaSizeBytesMax, `a node profile fits ${metaSizeBytesMax} bytes`)
  return meta
}

/** Undefined for the metadata of a peer that is no agent of ours (serf's tags), and for broken ones. */
export function decodeProfile(meta: Uint8Array): NodeProfile | undefined {
  if (meta.length > metaSizeBytesMax) return undefined
  const value = unseal(format.profile, meta)
  if (!value.ok) return undefined
  const reader = fieldReader(value.value)
  const nodeId = reader.bytes('i', 16)
  if (nodeId.length !== 16) return undefined
  const port = (name: string): number => reader.whole(name, 1, 65_535)
  const profile: NodeProfile = {
    nodeId: toHex(nodeId),
    apiPort: port('a'),
    proxyPort: port('x'),
    raftPort: port('r'),
    priority: reader.whole('p', -1_000_000, 1_000_000),
    role: reader.has('w') && reader.flag('w') ? 'witness' : 'node',
    ...(reader.has('u') ? { publicIp: reader.text('u', 45, ipPattern) } : {}),
    ...(reader.has('c') ? { cordoned: reader.flag('c') } : {}),
  }
  return reader.failure === undefined ? profile : undefined
}
