/** Turns what people write as a seed into addresses: `host`, `host:port`, `1.2.3.4`, `1.2.3.4:7946`, `[::1]:7946`, `::1`. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { ConstellationError } from '../../kernel/errors.ts'
import { isPort } from '../../kernel/units.ts'
import type { Address, Port } from '../../kernel/units.ts'

export type ResolveSeed = (text: string) => Promise<readonly Address[]>
/** Every IP address of a host name. */
export type LookUp = (host: string) => Promise<readonly string[]>

const systemLookUp: LookUp = async host => (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * Rejects with `SEED_MALFORMED` or `SEED_UNRESOLVABLE`. Names are looked up anew each time: a node may have moved.
 */
export function seedResolver(defaultPort: Port, lookUp: LookUp = systemLookUp): ResolveSeed {
  return async text => {
    const { host, port = defaultPort } = parseSeed(text)
    if (isIP(host) !== 0) return [{ ip: host, port }]
    try {
      return [...new Set(await lookUp(host))].map(ip => ({ ip, port }))
    } catch (cause) {
      const hint = 'is the name right, and does this node resolve names of the mesh (MagicDNS)?'
      throw new ConstellationError('SEED_UNRESOLVABLE', `cannot resolve the seed ${text}`, { cause, hint })
    }
  }
}

/** Throws `SEED_MALFORMED`; useful before the agent starts. */
export function parseSeed(text: string): { readonly host: string; readonly port?: Port } {
  const trimmed = text.trim()
  if (isIP(trimmed) !== 0) return { host: trimmed }
  const { bracketed, name, digits } =
    /^(?:\[(?<bracketed>[^\]]+)\]|(?<name>[^:[\]\s/]+))(?::(?<digits>\d{1,5}))?$/.exec(trimmed)?.groups ?? {}
  const host = bracketed ?? name
  const port = digits === undefined ? undefined : Number(digits)
  const isSound =
    host !== undefined && (bracketed === undefined || isIP(bracketed) === 6) && (port === undefined || isPort(port))
  if (!isSound)
    throw new ConstellationError('SEED_MALFORMED', `not a seed: ${JSON.stringify(text)}`, {
      hint: 'write a host name or an IP address, with a port if it is not the usual one: node-a, 100.64.0.1:7946, [fd7a::1]:7946',
    })
  return port === undefined ? { host } : { host, port }
}
