/**
 * The label of a cluster: clusters that meet by accident stay apart when theirs differ. On the wire it is `f4 | length u8 |
 * label`, outermost and in clear. With encryption it is authenticated data besides. Known to memberlist since 0.3.
 */
import { concatBytes, equalBytes } from '../../kernel/bytes.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { messageType } from './messages.ts'
import type { Refusal } from './messages.ts'

/** Its length travels in one byte. */
export const labelBytesMax = 255

/** Type and length. */
const fixedBytes = 2

export function labelHeaderBytes(label: Uint8Array): number {
  return label.length === 0 ? 0 : fixedBytes + label.length
}

export function addLabel(bytes: Uint8Array, label: Uint8Array): Uint8Array {
  if (label.length === 0) return bytes
  return concatBytes([Uint8Array.of(messageType.hasLabel, label.length), label, bytes])
}

/** Where our label's header ends, which is 0 when we have none; undefined while the bytes do not reach that far. */
export function findLabelEnd(bytes: Uint8Array, label: Uint8Array): Result<number | undefined, Refusal> {
  const [type, length] = bytes
  if (type === undefined) return ok(undefined)
  if (type !== messageType.hasLabel) return label.length === 0 ? ok(0) : fail(unlabelled)
  if (label.length === 0) return fail(labelled)
  if (length === undefined) return ok(undefined)
  if (length !== label.length) return fail(otherLabel)
  const end = fixedBytes + length
  if (bytes.length < end) return ok(undefined)
  return equalBytes(bytes.subarray(fixedBytes, end), label) ? ok(end) : fail(otherLabel)
}

export function takeOffLabel(bytes: Uint8Array, label: Uint8Array): Result<Uint8Array, Refusal> {
  const end = findLabelEnd(bytes, label)
  if (!end.ok) return end
  return end.value === undefined ? fail(cutOff) : ok(bytes.subarray(end.value))
}

const labelled: Refusal = {
  reason: 'labelled',
  detail: 'carries a label, so it belongs to a labelled cluster; ours has none',
}
const unlabelled: Refusal = { reason: 'wrongLabel', detail: 'carries no label, ours does' }
const otherLabel: Refusal = { reason: 'wrongLabel', detail: 'carries another label than ours' }
const cutOff: Refusal = { reason: 'malformed', detail: 'a label cut off' }
