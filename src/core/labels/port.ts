/**
 * Which container port speaks HTTP, and in which scheme. What labels say comes first, then what can only be meant;
 * a guess among several is never made silently.
 */
import { isPort } from '../../kernel/units.ts'
import type { Port } from '../../kernel/units.ts'
import type { Endpoint } from '../registry/index.ts'
import { quoted } from './complaints.ts'
import type { Complain } from './complaints.ts'

export const portLabel = 'constellation.port'

export interface TraefikServer {
  /** Name of the `traefik.http.services.<name>` it stands under. */
  readonly service: string
  readonly port?: Port
  readonly scheme?: 'http' | 'https'
}

export interface HttpPort {
  readonly port?: Port
  readonly scheme: 'http' | 'https'
}

/** `servers` in order of name. */
export function httpPort(
  wished: string | undefined,
  servers: readonly TraefikServer[],
  endpoints: readonly Endpoint[],
  complain: Complain,
): HttpPort {
  const server = servers.find(candidate => candidate.port !== undefined) ?? servers[0]
  const scheme = server?.scheme ?? 'http'
  const port = labelledPort(wished, complain) ?? server?.port ?? obviousPort(endpoints)
  if (port === undefined) complain(`no HTTP port can be told (${portsInWords(endpoints)}); set the label ${portLabel}`)
  return port === undefined ? { scheme } : { port, scheme }
}

/** A decimal port number; undefined when it is none. */
export function parsePort(text: string): Port | undefined {
  const trimmed = text.trim()
  const port = /^\d{1,5}$/.test(trimmed) ? Number(trimmed) : Number.NaN
  return isPort(port) ? port : undefined
}

function labelledPort(text: string | undefined, complain: Complain): Port | undefined {
  if (text === undefined) return undefined
  const port = parsePort(text)
  if (port === undefined) complain(`label ${portLabel}=${quoted(text)} is no port; ignored`)
  return port
}

/** The only TCP port, or else the lowest of those that are published. */
function obviousPort(endpoints: readonly Endpoint[]): Port | undefined {
  const all = tcpPorts(endpoints)
  if (all.length === 1) return all[0]
  return tcpPorts(endpoints.filter(endpoint => endpoint.hostPort !== undefined))[0]
}

/** Distinct, ascending: Docker lists a port once per address family. */
function tcpPorts(endpoints: readonly Endpoint[]): readonly Port[] {
  const ports = endpoints.filter(endpoint => endpoint.protocol === 'tcp').map(endpoint => endpoint.containerPort)
  return [...new Set(ports)].sort((a, b) => a - b)
}

function portsInWords(endpoints: readonly Endpoint[]): string {
  const ports = tcpPorts(endpoints)
  return ports.length === 0 ? 'it has no TCP port' : `TCP ports ${ports.slice(0, 8).join(', ')}, none published`
}
