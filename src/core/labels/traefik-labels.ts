/**
 * The `traefik.http.*` labels of one container: its routers and the port and scheme of its services. Labels are text from
 * outside, so everything is checked and bounded here; a router that cannot be honoured whole is left out and reported,
 * and the container stays reachable by its default host.
 */
import type { RouterWish } from '../registry/index.ts'
import { isRouterName, parseRule } from '../routing/index.ts'
import { fail, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
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
    const wish = routerWish(name, options)
    const refusal = wish.ok ? misdirection(options.get('service'), servers, chosen) : wish.error
    if (refusal !== undefined) complain(`router ${quoted(name)} is left out: ${refusal}`)
    if (!wish.ok || refusal !== undefined) continue
    wishes.push(wish.value)
    if (wish.value.middlewares?.some(isOfDocker) === true)
      complain(
        `router ${quoted(name)} needs a middleware of Traefik's docker provider; where that does not see this container ` +
          'the route is dead. Define it in a file and write name@file',
      )
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

/** Or the reason why it cannot be honoured whole. */
function routerWish(name: string, options: Options): Result<RouterWish, string> {
  if (!isRouterName(name)) return fail('its name has other characters than letters, digits, _ and -, or too many')
  const text = (option: string): string => options.get(option) ?? ''
  const rule = text('rule').trim()
  const parsed = parseRule(rule)
  if (!parsed.ok) return fail(`its rule ${quoted(rule)} is not valid: ${parsed.error.message}`)
  const priority = parsePriority(text('priority'))
  if (!priority.ok) return fail(`its priority ${quoted(text('priority'))} is no number`)
  const entryPoints = parseList(text('entrypoints'), entryPointName, entryPointsMax)
  if (!entryPoints.ok) return fail(`its entry points ${quoted(text('entrypoints'))} are no list`)
  const middlewares = parseList(text('middlewares'), middlewareName, middlewaresMax)
  if (!middlewares.ok) return fail(`its middlewares ${quoted(text('middlewares'))} are no list`)
  return ok({
    name,
    rule,
    ...(entryPoints.value.length === 0 ? {} : { entryPoints: entryPoints.value }),
    ...(priority.value === 0 ? {} : { priority: priority.value }),
    ...(middlewares.value.length === 0 ? {} : { middlewares: middlewares.value.map(qualified) }),
  })
}

/** A name without a provider means "of the same provider", and these labels are written for Traefik's docker provider. */
function qualified(middleware: string): string {
  return middleware.includes('@') ? middleware : `${middleware}@docker`
}

function isOfDocker(middleware: string): boolean {
  return middleware.endsWith('@docker')
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

/** Traefik takes 0 for "not set". */
function parsePriority(text: string): Result<number, 'bad'> {
  const trimmed = text.trim()
  return /^(-?\d{1,9})?$/.test(trimmed) ? ok(Number(trimmed)) : fail('bad')
}

function parseList(text: string, item: RegExp, itemsMax: number): Result<readonly string[], 'bad'> {
  const items = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
  const isFine = items.length <= itemsMax && items.every(part => item.test(part))
  return isFine ? ok([...new Set(items)]) : fail('bad')
}
