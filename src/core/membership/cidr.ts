/**
 * Ranges of addresses, `10.0.0.0/8` or `fd00::/8`; an address alone is a range of one. IPv4-mapped IPv6 is IPv4 here as
 * everywhere, and a range of one family holds nothing of the other. Pure text and bits; knows nothing of sockets.
 */
import { invariant } from '../../kernel/invariant.ts'
import { ipToBytes } from './ip.ts'

interface Range {
  readonly network: Uint8Array
  readonly prefixBits: number
}

/** Bits that `::ffff:a.b.c.d` has in front of the IPv4 address. */
const mappedBits = 96

/** `undefined` when the text is no range. Bits behind the prefix may be set, they mean nothing. */
function readRange(text: string): Range | undefined {
  const [ip = '', bits, ...more] = text.split('/')
  const network = ipToBytes(ip)
  if (network === undefined || more.length > 0) return undefined
  const wholeBits = 8 * network.length
  if (bits === undefined) return { network, prefixBits: wholeBits }
  if (!/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined
  const isMapped = network.length === 4 && ip.includes(':')
  const prefixBits = Number(bits) - (isMapped ? mappedBits : 0)
  return prefixBits >= 0 && prefixBits <= wholeBits ? { network, prefixBits } : undefined
}

export function isCidr(text: string): boolean {
  return readRange(text) !== undefined
}

/** Whether an IP literal lies in one of the ranges; anything else lies in none. */
export type AddressFilter = (ip: string) => boolean

/** How many verdicts are remembered: the members of a cluster, not every address that ever tried. */
const rememberedMax = 2_048

/** Empty: every address. Throws when a text is no range, so ask `isCidr` about texts from outside. */
export function addressFilter(cidrs: readonly string[]): AddressFilter {
  const ranges = cidrs.map(text => {
    const range = readRange(text)
    invariant(range !== undefined, `${JSON.stringify(text)} is a range of addresses`)
    return range
  })
  if (ranges.length === 0) return () => true
  const remembered = new Map<string, boolean>()
  return ip => {
    const known = remembered.get(ip)
    if (known !== undefined) return known
    const bytes = ipToBytes(ip)
    const verdict = bytes !== undefined && ranges.some(range => holds(range, bytes))
    if (remembered.size >= rememberedMax) remembered.clear()
    remembered.set(ip, verdict)
    return verdict
  }
}

function holds({ network, prefixBits }: Range, ip: Uint8Array): boolean {
  if (ip.length !== network.length) return false
  const wholeBytes = prefixBits >> 3
  for (let i = 0; i < wholeBytes; i++) if (ip[i] !== network[i]) return false
  const restBits = prefixBits & 7
  if (restBits === 0) return true
  const mask = (0xff << (8 - restBits)) & 0xff
  return ((ip[wholeBytes] ?? 0) & mask) === ((network[wholeBytes] ?? 0) & mask)
}
