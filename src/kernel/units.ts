/**
 * The words everything else is written in: names, times, ports and addresses.
 * Imports nothing. Branded strings exist so that a node name can never be passed where a service id is wanted;
 * plain numbers stay plain, because arithmetic on branded numbers hides more than it shows.
 */

declare const brand: unique symbol
type Brand<T, B extends string> = T & { readonly [brand]: B }

/** Milliseconds. As a point in time always on the monotonic clock of ONE process, unless the name says `Wall`. */
export type Millis = number

/** A node's name: fixed when it joins, unique in the cluster, 1..128 printable characters without `/` and `@`. */
export type NodeName = Brand<string, 'NodeName'>

/**
 * Identity of a service across nodes: `project:service`, or `service` alone when it belongs to no compose project.
 * Equal ids on several nodes are instances of one service; unequal ids are never balanced together.
 */
export type ServiceId = Brand<string, 'ServiceId'>

/** 1..65535. */
export type Port = number

/** Where a socket is: an IP literal (never a name) and a port. */
export interface Address {
  readonly ip: string
  readonly port: Port
}

const nodeNamePattern = /^[^\s/@\p{C}]{1,128}$/u
const serviceIdPattern = /^[A-Za-z0-9][\w.-]{0,127}(:[A-Za-z0-9][\w.-]{0,127})?$/

export function isNodeName(text: string): text is NodeName {
  return nodeNamePattern.test(text)
}

/** Throws RangeError; use `isNodeName` for text that arrives from outside. */
export function nodeName(text: string): NodeName {
  if (!isNodeName(text))
    throw new RangeError(
      `not a node name: ${JSON.stringify(text)} (1 to 128 printable characters, no blank, "/" or "@")`,
    )
  return text
}

export function isServiceId(text: string): text is ServiceId {
  return serviceIdPattern.test(text)
}

/** Throws RangeError; use `isServiceId` for text that arrives from outside. */
export function serviceId(text: string): ServiceId {
  if (!isServiceId(text))
    throw new RangeError(`not a service id: ${JSON.stringify(text)} ("service" or "project:service")`)
  return text
}

export function isPort(value: unknown): value is Port {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535
}

/** `1.2.3.4:80` or `[::1]:80`. */
export function formatAddress(address: Address): string {
  return address.ip.includes(':') ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.ip === b.ip && a.port === b.port
}

/** Plain code-unit order: the same on every machine and locale, which `localeCompare` is not. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
