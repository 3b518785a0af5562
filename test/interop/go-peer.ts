/**
 * Nodes of HashiCorp's memberlist as a library, in a program of ours (go-peer/main.go) that does what it is told and says
 * what it hears. Built once per version of its source; every peer ends by its handle, or with the test process.
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, readFile, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fromHex, toHex } from '../../src/kernel/bytes.ts'
import { formatAddress } from '../../src/kernel/units.ts'
import type { Address } from '../../src/kernel/units.ts'
import { programProbe } from '../integration/partners.ts'
import type { PartnerProbe } from '../integration/partners.ts'
import { freeAddress } from '../integration/real-cluster.ts'

export interface GoPeerSettings {
  readonly address?: Address
  /** Protocol version spoken; its library always supports 1 to 5. Default 2, as the library has it. */
  readonly protocol?: 1 | 2 | 3 | 4 | 5
  /** Delegate protocol: least, most, spoken. Default 1, 1, 1, as ours. */
  readonly delegate?: readonly [number, number, number]
  readonly meta?: Uint8Array
  readonly state?: Uint8Array
  /** The first is the primary. */
  readonly keys?: readonly Uint8Array[]
  readonly verifyIncoming?: boolean
  readonly verifyOutgoing?: boolean
  readonly compress?: boolean
  /** After this a dead name may come back from another address. Default: never. */
  readonly reclaimMs?: number
  /** Every byte sent becomes an event `packet` or `stream`. */
  readonly trace?: boolean
}

/** What a peer tells by itself. */
export type GoEvent =
  | { readonly event: 'ready' }
  | ({ readonly event: 'join' | 'leave' | 'update' } & GoMember)
  /** Somebody at `other` uses the name of this member. */
  | ({ readonly event: 'conflict'; readonly other: string } & GoMember)
  | { readonly event: 'message'; readonly hex: string }
  | { readonly event: 'state'; readonly hex: string; readonly join: boolean }
  | { readonly event: 'health'; readonly score: number }
  | { readonly event: 'packet' | 'stream'; readonly to: string; readonly hex: string }

/** `address` is `ip:port`, `meta` hex, `versions` as on the wire. */
export interface GoMember {
  readonly name: string
  readonly address: string
  readonly meta: string
  readonly versions: readonly number[]
}

export interface GoPeer {
  readonly name: string
  readonly address: Address
  /** All it told so far, in order. */
  readonly events: readonly GoEvent[]
  /** What the library logged. */
  log(): string
  /** Rejects when nobody could be joined. */
  join(...addresses: readonly Address[]): Promise<void>
  leave(): Promise<void>
  /** Whom it takes for alive or suspect, ordered by name. */
  members(): Promise<readonly GoMember[]>
  setMeta(meta: Uint8Array): Promise<void>
  setState(state: Uint8Array): Promise<void>
  /** Refuses every alive message about this name. */
  veto(name: string): Promise<void>
  gossip(message: Uint8Array): Promise<void>
  send(via: 'udp' | 'tcp', to: string, message: Uint8Array): Promise<void>
  /** One direct ping, outside the probe rounds; rejects without an answer. */
  ping(to: string): Promise<number>
  healthScore(): Promise<number>
  key(verb: 'add' | 'use' | 'remove', key: Uint8Array): Promise<void>
  /** From now on nothing leaves towards these. */
  cut(kind: 'udp' | 'tcp' | 'all', ...addresses: readonly Address[]): Promise<void>
  heal(): Promise<void>
  kill(): Promise<void>
}

const library = '/usr/share/gocode/src/github.com/hashicorp/memberlist'
const source = fileURLToPath(new URL('go-peer/main.go', import.meta.url))
const run = promisify(execFile)

/** Two things are needed: the compiler, and the library as Debian packages it. */
export const goPeerProbe: PartnerProbe = async () => {
  const noLibrary = `${library} is missing (Debian: golang-github-hashicorp-memberlist-dev)`
  return (await exists(library)) ? programProbe('go', ['version'])() : noLibrary
}

let program: Promise<string> | undefined

/** The path of the program. */
export function buildGoPeer(): Promise<string> {
  program ??= build()
  return program
}

async function build(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
  const folder = join(tmpdir(), `constellation-go-peer-${hash.slice(0, 16)}`)
  const path = join(folder, 'peer')
  if (await exists(path)) return path
  await mkdir(folder, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: `${folder}:/usr/share/gocode` }
  await run('go', ['build', '-o', unfinished, source], { env })
  await rename(unfinished, path)
  return path
}

const peers: GoPeer[] = []

export async function killGoPeers(): Promise<void> {
  await Promise.all(peers.splice(0).map(peer => peer.kill()))
}

export async function startGoPeer(name: string, settings: GoPeerSettings = {}): Promise<GoPeer> {
  const address = settings.address ?? (await freeAddress())
  const child = spawn(await buildGoPeer(), flags(name, address, settings), { stdio: 'pipe' })
  const exited = once(child, 'exit')
  const events: GoEvent[] = []
  const waiting = new Map<string, (answer: Answer) => void>()
  let logged = ''
  let asked = 0
  child.stderr.on('data', chunk => (logged += String(chunk)))
  // A peer that is gone takes no commands; whoever asked hears of it through `exited`.
  child.stdin.on('error', () => undefined)
  createInterface(child.stdout).on('line', text => {
    // Our own program writes nothing else.
    const line = JSON.parse(text) as Answer | GoEvent
    if ('event' in line) events.push(line)
    else waiting.get(line.answer)?.(line)
  })

  async function ask(...words: readonly string[]): Promise<unknown> {
    const id = String(++asked)
    const answered = new Promise<Answer>(resolve => waiting.set(id, resolve))
    child.stdin.write(`${[id, ...words].join(' ')}\n`)
    const answer = await Promise.race([answered, exited.then(() => undefined)])
    waiting.delete(id)
    if (answer === undefined) throw new Error(`${name} ended before it answered ${words[0]}: ${logged.slice(-500)}`)
    if (answer.error !== undefined) throw new Error(`${name}: ${words[0]}: ${answer.error}`)
    return answer.result
  }

  const peer: GoPeer = {
    name,
    address,
    events,
    log: () => logged,
    join: async (...addresses) => void (await ask('join', ...addresses.map(formatAddress))),
    leave: async () => void (await ask('leave')),
    async members() {
      const members = (await ask('members')) as readonly GoMember[]
      return members.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
    setMeta: async meta => void (await ask('meta', toHex(meta))),
    setState: async state => void (await ask('state', toHex(state))),
    veto: async other => void (await ask('veto', other)),
    gossip: async message => void (await ask('gossip', toHex(message))),
    send: async (via, to, message) => void (await ask(via, to, toHex(message))),
    ping: async to => (await ask('ping', to)) as number,
    healthScore: async () => (await ask('health')) as number,
    key: async (verb, key) => void (await ask('key', verb, base64(key))),
    cut: async (kind, ...addresses) => void (await ask('cut', kind, ...addresses.map(({ port }) => String(port)))),
    heal: async () => void (await ask('heal')),
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
  peers.push(peer)
  await ask('health')
  return peer
}

interface Answer {
  readonly answer: string
  readonly result: unknown
  readonly error?: string
}

function flags(name: string, address: Address, settings: GoPeerSettings): readonly string[] {
  const { protocol, delegate, meta, state, keys = [], verifyIncoming, verifyOutgoing, compress, reclaimMs } = settings
  const given: readonly (readonly [string, string | number | boolean | undefined])[] = [
    ['name', name],
    ['bind', formatAddress(address)],
    ['protocol', protocol],
    ['delegate', delegate?.join(',')],
    ['meta', meta && toHex(meta)],
    ['state', state && toHex(state)],
    ['verify-incoming', verifyIncoming],
    ['verify-outgoing', verifyOutgoing],
    ['compress', compress],
    ['reclaim', reclaimMs === undefined ? undefined : `${reclaimMs}ms`],
    ['trace', settings.trace],
    ...keys.map(key => ['key', base64(key)] as const),
  ]
  return given.flatMap(([flag, value]) => (value === undefined ? [] : [`-${flag}=${value}`]))
}

/** The user messages it heard. */
export function messagesOf({ events }: GoPeer): readonly Uint8Array[] {
  return events.flatMap(line => (line.event === 'message' ? [fromHex(line.hex)] : []))
}

/** What it told about this member, one word each: join, leave, update, conflict. */
export function storyOf({ events }: GoPeer, name: string): readonly string[] {
  return events.flatMap(line => ('name' in line && line.name === name ? [line.event] : []))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
