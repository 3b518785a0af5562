/**
 * The `traefik.http.*` labels of one container: its routers and the port and scheme of its services. Labels are text from
 * outside, so everything is checked and bounded here; a router that cannot be honoured whole is left out and reported,
 * and the container stays reachable by its default host.
 */
import type { RouterWish } from '../registry/index.ts'
import { parseRule, ruleLengthMax } from '../routing/index.ts'
import { byText } from '../../kernel/units.ts'
import { quoted } from './complaints.ts'
import type { Complain } from './complaints.ts'
import { parsePort } from './port.ts'
import type { HttpPort, TraefikServer } from './port.ts'

/** Keys in lower case: Traefik compares them without regard to case. */
export type TraefikLabels = ReadonlyMap<string, string>

export const routersMax = 16
const entryPointsMax = 8
const middlewaresMax = 16

const routerName = /^[\w-]{1,64}$/
const entryPointName = /^[A-Za-z0-9][\w-]{0,63}$/
const middlewareName = /^[^\s@\p{C}]{1,128}(@[a-z0-9-]{1,32})?$/u

/** The first in key order wins where two keys become one. */
export function traefikLabels(labels: Readonly<Record<string, string>>): TraefikLabels {
  const lowered = new Map<string, string>()
  for (const key of Object.keys(labels).sort(byText)) {
    const name = key.toLowerCase()
    if (name.startsWith('traefik.') && !lowered.has(name)) lowered.set(name, labels[key] ?? '')
  }
  return lowered
}

/** It asks for TCP or UDP routers and for no HTTP ones: a database, say, that must not be offered over HTTP. */
export function speaksNoHttp(labels: TraefikLabels): boolean {
  const keys = [...labels.keys()]
  const asksFor = (section: string): boolean => keys.some(key => key.startsWith(`traefik.${section}.`))
  return (asksFor('tcp') || asksFor('udp')) && !asksFor('http')
}

/** In order of name. */
export function traefikServers(labels: TraefikLabels, complain: Complain): readonly TraefikServer[] {
  return [...section(labels, 'traefik.http.services.')].map(([service, options]) => {
    const port = serverPort(options.get('loadbalancer.server.port'), service, complain)
    const scheme = serverScheme(options.get('loadbalancer.server.scheme'), service, complain)
    return { service, ...(port === undefined ? {} : { port }), ...(scheme === undefined ? {} : { scheme }) }
  })
}

/** In order of name. `chosen` is the one port of the container that is routed. */
export function routerWishes(
  labels: TraefikLabels,
  servers: readonly TraefikServer[],
  chosen: HttpPort,
  complain: Complain,
): readonly RouterWish[] {
  const wishes: RouterWish[] = []
  for (const [name, options] of section(labels, 'traefik.http.routers.')) {
    if (!options.has('rule')) continue // its other options are for Traefik's default rule, which we do not use
    if (wishes.length === routersMax) {
      complain(`more than ${routersMax} routers; the rest by name is left out`)
      break
    }
    const refuse = (reason: string): void => complain(`router ${quoted(name)} is left out: ${reason}`)
    const wish = routerWish(name, options, refuse)
    const misdirected = wish && misdirection(options.get('service'), servers, chosen)
    if (misdirected !== undefined) refuse(misdirected)
    else if (wish !== undefined) wishes.push(wish)
  }
  return wishes
}

type Options = ReadonlyMap<string, string>

/** `prefix<name>.<option>` grouped by name, in order of name. */
function section(labels: TraefikLabels, prefix: string): ReadonlyMap<string, Options> {
  const groups = new Map<string, Map<string, string>>()
  for (const [key, value] of [...labels].sort(([a], [b]) => byText(a, b))) {
    if (!key.startsWith(prefix)) continue
    const [name = '', ...option] = key.slice(prefix.length).split('.')
    const group = groups.get(name) ?? new Map<string, string>()
    groups.set(name, group.set(option.join('.'), value))
  }
  return groups
}

function routerWish(name: string, options: Options, refuse: (reason: string) => void): RouterWish | undefined {
  if (!routerName.test(name)) return void refuse('its name has other characters than letters, digits, _ and -')
  const rule = (options.get('rule') ?? '').trim()
  const parsed = rule.length > ruleLengthMax ? undefined : parseRule(rule)
  if (parsed === undefined) return void refuse(`its rule is longer than ${ruleLengthMax} characters`)
  if (!parsed.ok) return void refuse(`its rule ${quoted(rule)} is not valid: ${parsed.error.message}`)
  const priority = parsePriority(options.get('priority'))
  if (priority === 'bad') return void refuse(`its priority ${quoted(options.get('priority') ?? '')} is no number`)
  const entryPoints = parseList(options.get('entrypoints'), entryPointName, entryPointsMax)
  if (entryPoints === 'bad')
    return void refuse(`its entry points ${quoted(options.get('entrypoints') ?? '')} are no list`)
  const middlewares = parseList(options.get('middlewares'), middlewareName, middlewaresMax)
  if (middlewares === 'bad')
    return void refuse(`its middlewares ${quoted(options.get('middlewares') ?? '')} are no list`)
  return {
    name,
    rule,
    ...(entryPoints.length === 0 ? {} : { entryPoints }),
    ...(priority === undefined ? {} : { priority }),
    ...(middlewares.length === 0 ? {} : { middlewares: middlewares.map(qualified) }),
  }
}

/** A name without a provider means "of the same provider", and these labels are written for Traefik's docker provider. */
function qualified(middleware: string): string {
  return middleware.includes('@') ? middleware : `${middleware}@docker`
}

/** A router that goes to another port of the container, or to a service that is not the container, is not ours to serve. */
function misdirection(
  service: string | undefined,
  servers: readonly TraefikServer[],
  chosen: HttpPort,
): string | undefined {
  if (service === undefined) return undefined
  if (service.includes('@')) return `its service ${quoted(service)} belongs to another provider`
  const server = servers.find(candidate => candidate.service === service.toLowerCase())
  if (server?.port === undefined || server.port === chosen.port) return undefined
  return `its service ${quoted(service)} is on port ${server.port}, and one port per container is routed`
}

function serverPort(text: string | undefined, service: string, complain: Complain): number | undefined {
  if (text === undefined) return undefined
  const port = parsePort(text)
  if (port === undefined) complain(`port ${quoted(text)} of traefik service ${quoted(service)} is none; ignored`)
  return port
}

function serverScheme(text: string | undefined, service: string, complain: Complain): 'http' | 'https' | undefined {
  if (text === undefined || text === 'http' || text === 'https') return text
  complain(`scheme ${quoted(text)} of traefik service ${quoted(service)} is neither http nor https; ignored`)
  return undefined
}

/** Traefik orders by it as a number and takes 0 for "not set". */
function parsePriority(text: string | undefined): number | undefined | 'bad' {
  if (text === undefined) return undefined
  if (!/^-?\d{1,9}$/.test(text.trim())) return 'bad'
  return Number(text) === 0 ? undefined : Number(text)
}

function parseList(text: string | undefined, item: RegExp, itemsMax: number): readonly string[] | 'bad' {
  const items = (text ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
  return items.length <= itemsMax && items.every(part => item.test(part)) ? [...new Set(items)] : 'bad'
}
