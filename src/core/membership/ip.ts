/**
 * IP literals ↔ the 4 or 16 bytes on the wire. One address has one text here: IPv6 in the form of RFC 5952 (lower case,
 * the first longest run of zero groups shortened), IPv4-mapped IPv6 as plain IPv4; addresses are compared as text.
 */

/** `undefined` when there are not 4 or 16 bytes. */
export function ipFromBytes(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return undefined
  if (isMapped(bytes)) return bytes.subarray(12).join('.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  return ipv6Text(Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i)))
}

/** The same few addresses are written again and again; a hostile peer can only make us forget them. */
const known = new Map<string, Uint8Array>()
const knownMax = 4_096

/** `undefined` when the text is no IP literal; the bytes are shared and not to be changed. A zone (`fe80::1%eth0`) means something on one node only and is none. */
export function ipToBytes(ip: string): Uint8Array | undefined {
  const before = known.get(ip)
  if (before !== undefined) return before
  const bytes = parseIp(ip)
  if (bytes === undefined) return undefined
  if (known.size >= knownMax) known.clear()
  known.set(ip, bytes)
  return bytes
}

function parseIp(ip: string): Uint8Array | undefined {
  if (!ip.includes(':')) return ipv4Bytes(ip)
  const bytes = ipv6Bytes(ip)
  return bytes !== undefined && isMapped(bytes) ? bytes.slice(12) : bytes
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255'
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  const isOctet = (part: string): boolean => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255
  return parts.length === 4 && parts.every(isOctet) ? Uint8Array.from(parts, Number) : undefined
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const [head = '', tail, ...more] = text.split('::')
  const before = groupsOf(head, tail === undefined)
  const after = groupsOf(tail ?? '', true)
  if (before === undefined || after === undefined || more.length > 0) return undefined
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  return Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff]))
}

/** At the end of the whole address an IPv4 literal may stand for two groups. */
function groupsOf(text: string, mayEndDotted: boolean): readonly number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const dotted = mayEndDotted && last.includes('.') ? ipv4Bytes(last) : undefined
  if (dotted !== undefined) parts.pop()
  if (!parts.every(part => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined
  const groups = parts.map(part => Number.parseInt(part, 16))
  if (dotted !== undefined) {
    const view = new DataView(dotted.buffer)
    groups.push(view.getUint16(0), view.getUint16(2))
  }
  return groups
}

function ipv6Text(groups: readonly number[]): string {
  const run = longestZeroRun(groups)
  const hex = groups.map(group => group.toString(16))
  if (run.length < 2) return hex.join(':')
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 }
  let length = 0
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > longest.length) longest = { start: index - length + 1, length }
  }
  return longest
}
