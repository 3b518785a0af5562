/**
 * What may cross a proxy (RFC 9110 section 7.6.1). Headers are a flat list, name, value, name, value, as they stood on
 * the wire: order, case and repetition survive. Forwarded (RFC 7239) is passed on untouched.
 */
import { hopsHeader, passesHeader } from './hops.ts'

export type RawHeaders = readonly string[]

/** Speak about one connection only. `expect` because the agent has answered it and undici refuses to send it. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
])

/** Cannot be struck out by naming them in Connection: they frame the message or say who asked for what. */
const undroppable: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
])

export interface Sender {
  /** The other end of the client's connection, without a port. */
  readonly ip: string
  readonly scheme: 'http' | 'https'
  /** What goes upstream as Host. */
  readonly authority: string
}

/** Name of the one header the proxy adds to answers: the node whose instance gave it. */
export const nodeHeader = 'constellation-node'

/** The first value of a header; `lowerName` in lower case. */
export function headerValue(headers: RawHeaders, lowerName: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i], lowerName)) return headers[i + 1]
  }
  return undefined
}

/** Every value of a header, one per line it stood on. */
export function headerValues(headers: RawHeaders, lowerName: string): readonly string[] {
  return headers.filter((_, i) => i % 2 === 1 && isNamed(headers[i - 1], lowerName))
}

/** Without the journey's counters: they differ from attempt to attempt, see `journeyHeaders`. */
export function requestHeadersToForward(received: RawHeaders, sender: Sender): string[] {
  const nominated = nominatedBy(received)
  const forwarded: string[] = ['Host', sender.authority]
  const forwardedFor: string[] = []
  let hasHost = false
  let hasProto = false
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i] ?? ''
    const value = received[i + 1] ?? ''
    const lower = name.toLowerCase()
    if (isDropped(lower, nominated) || lower === 'host' || lower === hopsHeader || lower === passesHeader) continue
    if (lower === 'x-forwarded-for') {
      if (value.trim() !== '') forwardedFor.push(value)
      continue
    }
    // The proxy nearest to the client knows best; whoever comes later only fills a gap.
    if (lower === 'x-forwarded-host') hasHost = true
    if (lower === 'x-forwarded-proto') hasProto = true
    forwarded.push(name, value)
  }
  forwarded.push('X-Forwarded-For', [...forwardedFor, plainIp(sender.ip)].join(', '))
  if (!hasHost) forwarded.push('X-Forwarded-Host', sender.authority)
  if (!hasProto) forwarded.push('X-Forwarded-Proto', sender.scheme)
  return forwarded
}

/** `node` is percent-encoded: names may hold letters a header may not. */
export function responseHeadersToForward(received: RawHeaders, node: string): string[] {
  const nominated = nominatedBy(received)
  const forwarded: string[] = []
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i] ?? ''
    const lower = name.toLowerCase()
    if (!isDropped(lower, nominated) && lower !== nodeHeader) forwarded.push(name, received[i + 1] ?? '')
  }
  forwarded.push(nodeHeader, encodeURIComponent(node))
  return forwarded
}

/** `::ffff:192.0.2.1` is how a dual-stack socket writes `192.0.2.1`. */
export function plainIp(ip: string): string {
  return ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip
}

/** The length first: every request asks this of every header several times. */
function isNamed(name: string | undefined, lowerName: string): boolean {
  return name?.length === lowerName.length && name.toLowerCase() === lowerName
}

function isDropped(lower: string, nominated: ReadonlySet<string> | undefined): boolean {
  return hopByHop.has(lower) || (nominated !== undefined && nominated.has(lower) && !undroppable.has(lower))
}

/** Names listed in Connection belong to that connection too. Undefined for the usual `keep-alive` or `close`. */
function nominatedBy(headers: RawHeaders): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], 'connection')) continue
    for (const token of (headers[i + 1] ?? '').split(',')) {
      const name = token.trim().toLowerCase()
      if (name !== '' && name !== 'keep-alive' && name !== 'close') (names ??= new Set()).add(name)
    }
  }
  return names
}
