/** Kinds of value that only one setting has. */
import { z } from 'zod'
import { parseKey } from '../../controllers/keyring-file.ts'
import { isCidr } from '../../core/membership/index.ts'
import { utf8 } from '../../kernel/bytes.ts'
import { isPort } from '../../kernel/units.ts'
import { isIpLiteral, type Kind } from './field.ts'

const asIs = (text: string): string => text

/** `10.0.0.1`, `peer.example:7946`, `[fd7a::1]:7946`; without a port, the gossip port. */
export const seed: Kind<string> = {
  schema: z.string().refine(isSeed, 'expected "host" or "host:port"'),
  expects: 'a seed ("host" or "host:port")',
  fromText: asIs,
  show: asIs,
}

export const bindWord: Kind<string> = {
  schema: z
    .string()
    .refine(
      word => word === 'loopback' || word === 'mesh' || isIpLiteral(word),
      'expected "loopback", "mesh" or an IP address',
    ),
  expects: 'an address ("loopback", "mesh" or an IP address)',
  fromText: asIs,
  show: asIs,
}

export const entryPoint: Kind<string> = {
  schema: z.string().regex(/^[A-Za-z0-9][\w-]*$/, 'expected the name of a Traefik entry point'),
  expects: 'a name of a Traefik entry point',
  fromText: asIs,
  show: asIs,
}

/** A string on purpose: YAML reads a bare 3.10 as the number 3.1. */
export const traefikVersion: Kind<string> = {
  schema: z.string().regex(/^3\.\d{1,3}$/),
  expects: 'a Traefik version 3.x in quotes, such as "3.1"',
  fromText: asIs,
  show: asIs,
}

export const cidr: Kind<string> = {
  schema: z.string().refine(isCidr, 'expected a range of addresses such as "100.64.0.0/10", or an address'),
  expects: 'a range of addresses ("100.64.0.0/10", "fd7a:115c:a1e0::/48") or an address',
  fromText: asIs,
  show: asIs,
}

/** memberlist sends its length in one byte. */
const labelSizeBytesMax = 255

export const clusterLabel: Kind<string> = {
  schema: z.string().refine(label => utf8(label).length <= labelSizeBytesMax),
  expects: `a text of at most ${labelSizeBytesMax} bytes`,
  fromText: asIs,
  show: asIs,
}

export const gossipKey: Kind<string> = {
  schema: z.string().refine(text => parseKey(text) !== undefined),
  expects: 'a base64 key of 16, 24 or 32 bytes (`constellation keys generate` makes one)',
  fromText: text => text.trim(),
  show: asIs,
}

/** A file that the agent writes anew by renaming, so its directory and its name are both wanted. */
export const secretFile: Kind<string> = {
  schema: z.string().regex(/^\/(?:.*\/)?[A-Za-z0-9][\w.-]{0,99}(?<!\.tmp)$/),
  expects: 'an absolute path to a file with a plain name (letters, digits, ".", "_", "-")',
  fromText: asIs,
  show: asIs,
}

function isSeed(text: string): boolean {
  if (isIpLiteral(text)) return true
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text)
  if (bracketed !== null) return isIpLiteral(bracketed[1]) && isOptionalPort(bracketed[2])
  const named = /^([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::(\d+))?$/.exec(text)
  return named !== null && isOptionalPort(named[2])
}

function isOptionalPort(digits: string | undefined): boolean {
  return digits === undefined || isPort(Number(digits))
}
