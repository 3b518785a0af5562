/**
 * What Traefik finds wrong with a document it has decoded: names that point nowhere, rules it cannot read, services of no
 * or two kinds. It would disable only the part concerned; we find it before it is served.
 */
import { traefikKinds } from './data/traefik-fields.ts'
import type { DocumentProblem, ProblemReason } from './document-problem.ts'
import type { JsonNode, JsonObject } from './json-reader.ts'
import { parseRule } from './rule.ts'

const nothing: JsonObject = new Map()

/** `tree`: decoded, in canonical letter case. */
export function referenceProblems(tree: JsonObject): readonly DocumentProblem[] {
  const problems: DocumentProblem[] = []
  for (const protocol of ['http', 'tcp', 'udp'] as const) {
    const section = objectAt(tree, protocol)
    const report: Report = (path, reason, detail) => problems.push({ path: `${protocol}.${path}`, reason, detail })
    checkNames(section, report)
    for (const [name, router] of objectAt(section, 'routers')) {
      if (router instanceof Map) checkRouter(router, section, protocol, `routers.${name}`, report)
    }
    for (const [name, service] of objectAt(section, 'services')) {
      if (service instanceof Map) checkService(service, section, protocol, `services.${name}`, report)
    }
    for (const [name, middleware] of objectAt(section, 'middlewares')) {
      const type = protocol === 'tcp' ? 'TCPMiddleware' : 'Middleware'
      if (middleware instanceof Map) checkKind(middleware, type, `middlewares.${name}`, report)
    }
  }
  return [...problems, ...reservedTls(objectAt(tree, 'tls'))]
}

type Protocol = 'http' | 'tcp' | 'udp'
type Report = (path: string, reason: ProblemReason, detail: string) => void

/** `@` divides a name from its provider, so no name may hold one. */
function checkNames(section: JsonObject, report: Report): void {
  for (const [kind, entries] of section) {
    if (!(entries instanceof Map)) continue
    for (const name of entries.keys())
      if (name === '' || name.includes('@')) report(`${kind}.${name}`, 'bad-name', 'a name is empty or holds an @')
  }
}

function checkRouter(router: JsonObject, section: JsonObject, protocol: Protocol, path: string, report: Report): void {
  const service = router.get('service')
  if (typeof service !== 'string' || service === '') report(path, 'missing-reference', 'it names no service')
  else checkReference(service, objectAt(section, 'services'), path, 'service', report)
  for (const middleware of listAt(router, 'middlewares'))
    checkReference(middleware, objectAt(section, 'middlewares'), path, 'middlewares', report)
  if (protocol === 'http') checkRule(router.get('rule'), path, report)
}

function checkRule(rule: JsonNode | undefined, path: string, report: Report): void {
  if (typeof rule !== 'string' || rule === '') {
    report(`${path}.rule`, 'bad-rule', 'a router needs a rule')
    return
  }
  const parsed = parseRule(rule)
  if (!parsed.ok) report(`${path}.rule`, 'bad-rule', parsed.error.message)
}

function checkService(
  service: JsonObject,
  section: JsonObject,
  protocol: Protocol,
  path: string,
  report: Report,
): void {
  const kind = checkKind(service, serviceTypes[protocol], path, report)
  if (kind === undefined) return
  const body = objectAt(service, kind)
  if (kind === 'loadBalancer') checkServers(body, section, protocol, `${path}.${kind}`, report)
  else for (const child of childrenOf(body)) checkReference(child, objectAt(section, 'services'), path, kind, report)
}

const serviceTypes: Readonly<Record<Protocol, string>> = { http: 'Service', tcp: 'TCPService', udp: 'UDPService' }

function checkServers(body: JsonObject, section: JsonObject, protocol: Protocol, path: string, report: Report): void {
  const transport = body.get('serversTransport')
  if (transport !== undefined)
    checkReference(transport, objectAt(section, 'serversTransports'), path, 'serversTransport', report)
  for (const server of listAt(body, 'servers')) {
    const address = server instanceof Map ? server.get(protocol === 'http' ? 'url' : 'address') : undefined
    if (!isServerAddress(address, protocol))
      report(`${path}.servers`, 'bad-address', `${JSON.stringify(address ?? null)} leads nowhere`)
  }
}

/** The one field that makes it what it is; undefined when there is not exactly one. */
function checkKind(value: JsonObject, type: string, path: string, report: Report): string | undefined {
  const kinds = (traefikKinds[type] ?? []).filter(kind => value.has(kind))
  if (kinds.length === 1) return kinds[0]
  report(
    path,
    'bad-kind',
    kinds.length === 0 ? 'it is of no kind' : `it is of ${kinds.length} kinds: ${kinds.join(', ')}`,
  )
  return undefined
}

/** Services a weighted, mirroring or failover service hands on to. */
function childrenOf(body: JsonObject): readonly JsonNode[] {
  const children: (JsonNode | undefined)[] = [body.get('service'), body.get('fallback')]
  for (const field of ['services', 'mirrors'])
    for (const child of listAt(body, field)) if (child instanceof Map) children.push(child.get('name'))
  return children.filter(child => child !== undefined && child !== null)
}

/** A name with `@` belongs to another provider, which we cannot see. */
function checkReference(name: JsonNode, known: JsonObject, path: string, field: string, report: Report): void {
  const text = typeof name === 'string' ? name : JSON.stringify(name) // a bare number names a service, too
  if (known.has(text) || text.includes('@')) return
  report(`${path}.${field}`, 'missing-reference', `there is no ${JSON.stringify(text)}`)
}

const httpUrl = /^(?:https?|h2c):\/\/(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?(?:\/\S*)?$/
const hostPort = /^(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/

function isServerAddress(address: JsonNode | undefined, protocol: Protocol): boolean {
  const match = typeof address === 'string' ? (protocol === 'http' ? httpUrl : hostPort).exec(address) : null
  const port = Number(match?.[1] ?? 80)
  return match !== null && port >= 1 && port <= 65_535
}

/** Two providers that define the default drop each other's, and every TLS router with it. */
function reservedTls(tls: JsonObject): readonly DocumentProblem[] {
  return ['options', 'stores']
    .filter(kind => objectAt(tls, kind).has('default'))
    .map(kind => ({ path: `tls.${kind}.default`, reason: 'reserved-name', detail: 'the default belongs to the user' }))
}

function objectAt(object: JsonObject, field: string): JsonObject {
  const value = object.get(field)
  return value instanceof Map ? value : nothing
}

function listAt(object: JsonObject, field: string): readonly JsonNode[] {
  const value = object.get(field)
  return Array.isArray(value) ? value : []
}
