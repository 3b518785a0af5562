/**
 * Captures what memberlist itself sends, one sample of every kind of packet and stream, and keeps it as
 * src/core/membership/data/memberlist.json. Run `npx tsx test/interop/capture/main.ts`; it needs golang-go and
 * golang-github-hashicorp-memberlist-dev and takes about a minute. The peers repeat every byte they hand to their sockets.
 * Our decoders only sort the samples here; memberlist.test.ts beside the data says what each must mean.
 */
import { writeFile } from 'node:fs/promises'
import { aesGcm } from '../../../src/adapters/node/aes-gcm.ts'
import {
  createStreamDecoder,
  decodePacket,
  defaultStreamLimits,
  messageType,
} from '../../../src/core/membership/index.ts'
import { createProtection } from '../../../src/core/membership/protection.ts'
import type { Protection } from '../../../src/core/membership/protection.ts'
import { fromHex, toHex, utf8 } from '../../../src/kernel/bytes.ts'
import { killGoPeers, startGoPeer } from '../go-peer.ts'
import type { GoPeer, GoPeerSettings } from '../go-peer.ts'

interface Sample {
  readonly name: string
  readonly hex: string
  /** Hex of the key that opens it. */
  readonly key?: string
}

const port = 17_946
const ips = { alpha: '127.0.0.31', beta: '127.0.0.32', gamma: '127.0.0.33', delta: '127.0.0.34' } as const
const versions = [1, 1, 1] as const

function start(name: keyof typeof ips, settings: GoPeerSettings): Promise<GoPeer> {
  const meta = utf8(`meta of ${name}`)
  return startGoPeer(name, {
    address: { ip: ips[name], port },
    delegate: versions,
    meta,
    state: utf8(`state of ${name}`),
    trace: true,
    ...settings,
  })
}

/** Kinds of message inside, and what lies around them: `ping and suspect, compound, checksum`. */
function describePacket(bytes: Uint8Array, protection: Protection): string {
  const kinds = decodePacket(bytes, protection).messages.map(({ kind }) => kind)
  const checked = bytes[0] === messageType.hasCrc
  const type = bytes[checked ? 5 : 0]
  const isCompressed = type === messageType.compressed
  return [
    kinds.join(' and '),
    ...(kinds.length > 1 ? ['compound'] : []),
    ...(isCompressed ? ['compressed'] : []),
    ...(checked ? ['checksum'] : []),
  ].join(', ')
}

function describeStream(bytes: Uint8Array, protection: Protection): string {
  const result = createStreamDecoder(defaultStreamLimits, protection).push(bytes)
  const message = result.ok ? result.value : undefined
  if (message === undefined) return 'not whole'
  const kind = message.kind === 'pushPull' && message.join ? 'pushPull joining' : message.kind
  return bytes[0] === messageType.compressed ? `${kind}, compressed` : kind
}

type Wanted = Readonly<Record<'packet' | 'stream', readonly string[]>>

/** The first sample of each name; rejects when some never came. */
async function collect(
  peers: readonly GoPeer[],
  wanted: Wanted,
  key?: Uint8Array,
): Promise<Record<'packet' | 'stream', Sample[]>> {
  const keyring = key === undefined ? [] : [key]
  const protection = createProtection('', { cipher: aesGcm(), keyring, verifyIncoming: true, verifyOutgoing: true })
  const found = { packet: new Map<string, Sample>(), stream: new Map<string, Sample>() }
  for (let tries = 0; tries < 300; tries++) {
    for (const line of peers.flatMap(({ events }) => events)) {
      if (line.event !== 'packet' && line.event !== 'stream') continue
      const bytes = fromHex(line.hex)
      const name = (line.event === 'packet' ? describePacket : describeStream)(bytes, protection)
      if (!wanted[line.event].includes(name) || found[line.event].has(name)) continue
      found[line.event].set(name, { name, hex: line.hex, ...(key && { key: toHex(key) }) })
    }
    if (found.packet.size === wanted.packet.length && found.stream.size === wanted.stream.length) {
      const inOrder = (kind: 'packet' | 'stream'): Sample[] => wanted[kind].flatMap(name => found[kind].get(name) ?? [])
      return { packet: inOrder('packet'), stream: inOrder('stream') }
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  const missing = [...wanted.packet, ...wanted.stream].filter(
    name => !found.packet.has(name) && !found.stream.has(name),
  )
  throw new Error(`never seen: ${missing.join('; ')}`)
}

/** Everything a cluster says in its life, in clear. */
async function life(compress: boolean, wanted: Wanted): Promise<Record<'packet' | 'stream', Sample[]>> {
  const [alpha, beta, gamma] = [
    await start('alpha', { compress }),
    await start('beta', { compress }),
    await start('gamma', { compress }),
  ]
  await beta.join(alpha.address)
  await gamma.join(alpha.address)
  await seconds(2)
  await alpha.send('tcp', 'beta', utf8('told over TCP '.repeat(8)))
  await alpha.send('udp', 'beta', utf8('told again '.repeat(8)))
  await alpha.setMeta(utf8('newer meta of alpha'))
  await seconds(2)
  // Two at once leave in one packet, unless a ping takes one of them along.
  for (let tries = 0; tries < 5; tries++) {
    await Promise.all([alpha.gossip(utf8('first '.repeat(20))), alpha.gossip(utf8('second '.repeat(20)))])
    await seconds(1)
  }
  // An encrypted stream to a peer without a key: it says what is wrong.
  const delta = await start('delta', { compress, keys: [new Uint8Array(16)] })
  await delta.join(alpha.address).catch(() => undefined)
  await delta.kill()
  await alpha.cut('udp', beta.address)
  await seconds(4)
  await alpha.heal()
  await gamma.kill()
  await seconds(8)
  await beta.leave()
  const samples = await collect([alpha, beta, gamma], wanted)
  await killGoPeers()
  return samples
}

async function encrypted(sizeBytes: number, protocol: 1 | 2): Promise<Record<'packet' | 'stream', Sample[]>> {
  const key = Uint8Array.from({ length: sizeBytes }, (_, i) => 16 * protocol + i)
  const settings: GoPeerSettings = { compress: false, keys: [key], protocol }
  const [alpha, beta] = [await start('alpha', settings), await start('beta', settings)]
  await beta.join(alpha.address)
  await alpha.send('tcp', 'beta', utf8('told over TCP '.repeat(8)))
  await alpha.send('udp', 'beta', utf8('told again '.repeat(8)))
  const samples = await collect(
    [alpha, beta],
    { packet: ['ping', 'user'], stream: ['pushPull joining', 'streamUser'] },
    key,
  )
  await killGoPeers()
  const named = (list: readonly Sample[]): Sample[] =>
    list.map(sample => ({ ...sample, name: `${sample.name}, version ${protocol - 1}, key of ${sizeBytes} bytes` }))
  return { packet: named(samples.packet), stream: named(samples.stream) }
}

function seconds(count: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, count * 1_000))
}

const plain = await life(false, {
  packet: [
    'ping',
    'indirectPing',
    'ack',
    'nack',
    'alive, checksum',
    'suspect, checksum',
    'dead, checksum',
    'user, checksum',
    'ping and suspect, compound, checksum',
    'user and user, compound, checksum',
  ],
  stream: ['pushPull joining', 'ping', 'ack', 'streamUser', 'error'],
})
const packed = await life(true, {
  packet: ['user, compressed, checksum', 'user and user, compound, compressed, checksum'],
  stream: [
    'pushPull joining, compressed',
    'ping, compressed',
    'ack, compressed',
    'streamUser, compressed',
    'error, compressed',
  ],
})
const sealed = [await encrypted(16, 1), await encrypted(16, 2), await encrypted(24, 2), await encrypted(32, 2)]

const all = [plain, packed, ...sealed]
const data = {
  source:
    'What hashicorp/memberlist 0.2.2 (Debian package 0.2.2-2, go-msgpack 0.5.5, Go 1.19) handed to its sockets, peers alpha to delta at 127.0.0.31 to .34, port 17946',
  captured: new Date().toISOString().slice(0, 10),
  again: 'npx tsx test/interop/capture/main.ts',
  packets: all.flatMap(({ packet }) => packet),
  streams: all.flatMap(({ stream }) => stream),
}
const file = new URL('../../../src/core/membership/data/memberlist.json', import.meta.url)
await writeFile(file, `${JSON.stringify(data, null, 2)}\n`)
console.log(`${data.packets.length} packets, ${data.streams.length} streams`)
