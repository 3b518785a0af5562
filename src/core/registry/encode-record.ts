/**
 * Record bodies ↔ bytes. A body travels as bytes inside its record, and whoever passes a record on passes these very
 * bytes on: a relay of an older version must not strip what it does not know, for the record keeps its version and would
 * never be corrected. For the same reason a body that is sound MessagePack but not understood (a kind or a state of a
 * newer version) is kept as `unknown`; if it were dropped, a whole section relayed without it would delete it elsewhere.
 */
import { decodePackable, encodePackable } from '../membership/index.ts'
import type { Packable } from '../membership/index.ts'
import { InvariantViolation } from '../../kernel/invariant.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { packInstance, readInstance } from './encode-instance.ts'
import { fieldReader } from './field-reader.ts'
import type { FieldReader } from './field-reader.ts'
import { nameLengthMax } from './limits.ts'
import { instanceKey, nodeFactsKey } from './record.ts'
import type { NodeFacts, RecordBody, RecordKey } from './record.ts'

/** `t` names the kind: i instance, n node facts, x removed. */
export function encodeBody(body: RecordBody): Uint8Array {
  switch (body.kind) {
    case 'instance':
      return encodePackable({ t: 'i', ...packInstance(body.instance) })
    case 'nodeFacts':
      return encodePackable({ t: 'n', ...packFacts(body.facts) })
    case 'removed':
      return encodePackable({ t: 'x' })
    case 'unknown':
    default:
      throw new InvariantViolation('invariant broken: an unknown body is passed on as it came, never encoded anew')
  }
}

/** Fails on bytes no version could have written; answers `unknown` for what only this version does not understand. */
export function decodeBody(key: RecordKey, bytes: Uint8Array): Result<RecordBody, string> {
  const decoded = decodePackable(bytes)
  if (!decoded.ok) return fail(decoded.error)
  const reader = fieldReader(decoded.value)
  const body = readBody(reader, key)
  return ok(reader.failure === undefined ? body : { kind: 'unknown' })
}

function readBody(reader: FieldReader, key: RecordKey): RecordBody {
  const kind = reader.text('t', 1)
  if (kind === 'x') return { kind: 'removed' }
  if (kind === 'n' && key === nodeFactsKey) return { kind: 'nodeFacts', facts: readFacts(reader) }
  const containerId = key.slice(instanceKey('').length)
  if (kind === 'i' && containerId !== '' && key === instanceKey(containerId))
    return { kind: 'instance', instance: readInstance(reader, containerId) }
  reader.fail(`t: no kind that ${key} may have`)
  return { kind: 'unknown' }
}

function packFacts(facts: NodeFacts): { readonly [letter: string]: Packable | undefined } {
  return {
    v: facts.agentVersion,
    a: facts.arch,
    o: facts.os,
    c: facts.cpuCount,
    m: facts.memoryTotalBytes,
    f: facts.memoryFreeBytes,
    d: facts.diskTotalBytes,
    e: facts.diskFreeBytes,
    k: facts.engine.kind,
    l: facts.engine.version,
    u: facts.engine.connected,
    r: facts.restartingForMs,
  }
}

function readFacts(reader: FieldReader): NodeFacts {
  const count = (name: string): number => reader.whole(name, 0, Number.MAX_SAFE_INTEGER)
  return {
    agentVersion: reader.text('v', nameLengthMax),
    arch: reader.text('a', nameLengthMax),
    os: reader.text('o', nameLengthMax),
    cpuCount: count('c'),
    memoryTotalBytes: count('m'),
    memoryFreeBytes: count('f'),
    diskTotalBytes: count('d'),
    diskFreeBytes: count('e'),
    engine: {
      kind: reader.text('k', nameLengthMax),
      version: reader.text('l', nameLengthMax),
      connected: reader.flag('u'),
    },
    ...(reader.has('r') ? { restartingForMs: count('r') } : {}),
  }
}
