/**
 * The two bytes in front of everything the registry sends. The first is the one MessagePack never uses, so nothing that
 * serf or another memberlist application writes can be taken for ours; the second says what follows.
 */
import { concatBytes } from '../../kernel/bytes.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { decodePackable, encodePackable } from '../membership/index.ts'
import type { Packable } from '../membership/index.ts'

const magic = 0xc1

/** Numbers are never used again for something else. */
export const format = {
  profile: 1,
  delta: 2,
  wholeState: 3,
  digest: 4,
  sections: 5,
  keyRequest: 6,
  keyReply: 7,
} as const

/** foreign: another application's data, no reason to complain. The others are ours, or pretend to be. */
export type EnvelopeFault = 'foreign' | 'unknownFormat' | 'malformed'

export function seal(formatByte: number, value: Packable): Uint8Array {
  return concatBytes([Uint8Array.of(magic, formatByte), encodePackable(value)])
}

export function unseal(formatByte: number, bytes: Uint8Array): Result<Packable, EnvelopeFault> {
  if (bytes[0] !== magic) return fail('foreign')
  if (bytes[1] !== formatByte) return fail('unknownFormat')
  const value = decodePackable(bytes.subarray(2))
  return value.ok ? ok(value.value) : fail('malformed')
}

export function isFormat(formatByte: number, bytes: Uint8Array): boolean {
  return bytes[0] === magic && bytes[1] === formatByte
}
