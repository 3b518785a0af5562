/**
 * One real agent against what a network, an operator or a disk can do to it. After each attack it answers, its counters
 * tell what happened, its memory has not grown and it has reported no error of its own.
 */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  encodeCompound,
  encodeMessage,
  encodePackable,
  encodePushPull,
  encodeStreamUser,
  messageType,
} from '../../src/core/membership/index.ts'
import { validateTraefikDocument } from '../../src/core/routing/index.ts'
import { concatBytes } from '../../src/kernel/bytes.ts'
import { createPrng } from '../../src/kernel/prng.ts'
import {
  endAgents,
  makeAgent,
  runToItsEnd,
  startAgent,
  temporaryFolder,
  untilWell,
  type AgentProcess,
} from './agent-process.ts'
import { requirePartner } from './partners.ts'
import { untilTrue } from './watching.ts'

const rssGrowthBytesMax = 80 * 1024 * 1024
const giant = 'x'.repeat(200_000)

const sink = {
  service: 'sink',
  command: process.execPath,
  args: ['--import', 'tsx', fileURLToPath(new URL('upload-sink.ts', import.meta.url))],
  port: 9_000,
  labels: { 'constellation.expose': 'true' },
  health: { http: '/', intervalMs: 500 },
}

const mislabelled = {
  service: 'mislabelled',
  command: 'sleep',
  args: ['600'],
  port: 9_001,
  labels: {
    'constellation.expose': 'true',
    'constellation.port': '99999',
    'traefik.http.routers.unclosed.rule': 'Host(`a.test.local`) && ((',
    'traefik.http.routers.unknown.rule': 'Nonsense(`a`)',
    'traefik.http.routers.web@docker.rule': 'Host(`b.test.local`)',
    'traefik.http.routers.giant.rule': `Host(\`${giant}\`)`,
    'traefik.http.routers.good.rule': 'Host(`good.test.local`)',
    [`com.example.${giant}`]: giant,
  },
}

interface ServicesAnswer {
  readonly services: readonly {
    readonly id: string
    readonly complaints: readonly string[]
    readonly instances: readonly { readonly node: string; readonly containerId: string; readonly traffic: string }[]
  }[]
}

let agent: AgentProcess
let rssBytesAtFirst = 0

beforeAll(async () => {
  agent = await startAgent({ name: 'node-a', processes: [sink, mislabelled] })
  await untilTrue('the sink is routed', 20_000, async () => (await trafficOf(agent, 'sink')).includes('yes'))
  rssBytesAtFirst = agent.rssBytes()
})

afterAll(endAgents)

async function trafficOf(asked: AgentProcess, id: string): Promise<readonly string[]> {
  const { services } = await asked.api<ServicesAnswer>('/api/v1/services')
  return services.find(service => service.id === id)?.instances.map(({ traffic }) => traffic) ?? []
}

async function expectUnharmed(): Promise<void> {
  expect(await agent.get('/health')).toEqual({ status: 200, body: '{"status":"ok"}' })
  expect((await agent.get('/api/v1/status')).status).toBe(200)
  expect(agent.rssBytes() - rssBytesAtFirst).toBeLessThan(rssGrowthBytesMax)
  expect(errorLines(agent)).toEqual([])
}

function errorLines(asked: AgentProcess): readonly string[] {
  return asked
    .output()
    .split('\n')
    .filter(line => line.includes('"level":"error"') || line.includes('"stack"') || /^\s+at /.test(line))
}

/** The attack is counted where an operator would look for it, by at least `by`, and did no harm. */
async function expectSurvived(metric: string, labels: string, by: number, attack: () => Promise<void>): Promise<void> {
  const before = await agent.metric(metric, labels)
  await attack()
  await untilTrue(`${metric}{${labels}} rose`, 20_000, async () => (await agent.metric(metric, labels)) - before >= by)
  await expectUnharmed()
}

/** One datagram after the other, no faster than the kernel takes them. */
async function sendPackets(packets: Iterable<Uint8Array>): Promise<void> {
  const socket = createSocket('udp4')
  for (const bytes of packets)
    await new Promise<void>(sent => socket.send(bytes, agent.ports.gossip, agent.ip, () => sent()))
  socket.close()
}

/** Resolves when the agent has ended the connection, or refused it. */
async function sendStream(bytes: Uint8Array): Promise<void> {
  const socket = await openStream()
  const ended = closed(socket)
  socket.end(bytes)
  socket.resume()
  await ended
}

async function openStream(): Promise<Socket> {
  const socket = connect(agent.ports.gossip, agent.ip)
  // A connection that is cut is an answer, too.
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise(resolve => socket.once('close', resolve))
}

function* randomPackets(seed: number, count: number): Generator<Uint8Array> {
  const prng = createPrng(seed)
  for (let i = 0; i < count; i++) {
    const bytes = Uint8Array.from({ length: 1 + prng.below(1_400) }, () => prng.below(256))
    // Half of them begin like a message, or they would all end at the first byte.
    if (i % 2 === 0) bytes[0] = prng.below(messageType.error + 1)
    yield bytes
  }
}

function compressed(buf: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(messageType.compressed), encodePackable({ Algo: 0, Buf: buf })])
}

/** Every code stands for a run one longer than the last; with a full table each of them adds 3.8 kB. */
function lzwBomb(codeCount: number): Uint8Array {
  const packed: number[] = []
  let [bits, bitCount, width, free] = [0, 0, 9, 258]
  const put = (code: number): void => {
    bits |= code << bitCount
    bitCount += width
    for (; bitCount >= 8; bitCount -= 8, bits >>>= 8) packed.push(bits & 0xff)
  }
  put(256)
  put(97)
  for (let i = 0; i < codeCount; i++) {
    put(Math.min(free, 4_095))
    if (free < 4_096) free++
    if (free === 1 << width && width < 12) width++
  }
  put(257)
  packed.push(bits)
  return Uint8Array.from(packed)
}

const ping = encodeMessage({ kind: 'ping', seqNo: 1, node: '' })
const refused = 'constellation_gossip_refused_total'

describe('bytes from a stranger', () => {
  test('random packets are refused and counted', async () => {
    await expectSurvived(refused, '', 2_000, () => sendPackets(randomPackets(1, 5_000)))
  })

  test('random streams are refused and counted', async () => {
    await expectSurvived(refused, '', 150, async () => {
      const packets = [...randomPackets(2, 300)]
      while (packets.length > 0) await Promise.all(packets.splice(0, 50).map(sendStream))
    })
  })

  test('packets as large as UDP carries are refused, or answered when they make sense', async () => {
    const noise = [...randomPackets(3, 45)].map(bytes => concatBytes(Array.from({ length: 45 }, () => bytes)))
    const large = noise.map(bytes => bytes.subarray(0, 60_000))
    await expectSurvived(refused, '', 20, () => sendPackets(large))
    const userMessage = concatBytes([Uint8Array.of(messageType.user), new Uint8Array(60_000)])
    await expectSurvived('constellation_registry_refused_total', '', 1, () => sendPackets([userMessage]))
    const manyPings = encodeCompound(Array.from({ length: 255 }, () => ping))
    await expectSurvived('constellation_gossip_packets_total', 'sent', 255, () => sendPackets([manyPings]))
  })

  test('what unfolds to more than it may is refused', async () => {
    const bomb = compressed(lzwBomb(1_000))
    expect(bomb.length).toBeLessThan(1_400)
    await expectSurvived(refused, 'tooLarge', 200, () => sendPackets(Array.from({ length: 500 }, () => bomb)))
    // 150 kB that stand for 400 MB.
    const largeBomb = compressed(lzwBomb(100_000))
    await expectSurvived(refused, 'tooLarge', 20, async () => {
      for (let round = 0; round < 20; round++) await sendStream(largeBomb)
    })
  })

  test('wrappers in wrappers are refused', async () => {
    let nest = ping
    for (let depth = 0; depth < 100; depth++) nest = encodeCompound([nest, nest.subarray(0, 2)])
    await expectSurvived(refused, 'tooDeep', 50, () => sendPackets(Array.from({ length: 100 }, () => nest)))
  })

  test('peers that never speak or never listen are cut off, and newcomers find a place again', async () => {
    const openAtFirst = agent.openFiles()
    await expectSurvived(refused, 'timeout', 100, async () => {
      const mute = await Promise.all(Array.from({ length: 100 }, openStream))
      const deaf = await Promise.all(Array.from({ length: 20 }, openStream))
      const halfSaid = await Promise.all(Array.from({ length: 8 }, openStream))
      const hello = encodePushPull({ join: false, nodes: [], userState: new Uint8Array() })
      for (const socket of deaf) socket.pause().write(hello)
      for (const socket of halfSaid) socket.write(encodeStreamUser(new Uint8Array(4_000_000)).subarray(0, 1_000_000))
      expect((await agent.get('/health')).status).toBe(200)
      // All places are taken: who comes now is turned away at once.
      await closed(await openStream())
      await untilTrue('all were cut off', 30_000, () => agent.openFiles() <= openAtFirst + 5)
      for (const socket of [...mute, ...deaf, ...halfSaid]) socket.destroy()
    })
    await expectSurvived(refused, 'malformed', 1, () => sendStream(Uint8Array.of(messageType.ack, 0x80)))
  })
})

describe('another agent', () => {
  test('with a name that is taken is kept out; whoever had it first keeps its place and its traffic', async () => {
    const other = await startAgent({ name: 'node-b', seeds: [agent.seed], processes: [sink] })
    await untilTrue('both sinks are routed', 20_000, async () => {
      return (
        (await trafficOf(agent, 'sink')).join() === 'yes,yes' && (await trafficOf(other, 'sink')).join() === 'yes,yes'
      )
    })
    const idsBefore = await sinkIds(agent)

    await expectSurvived(refused, 'nameTaken', 2, async () => {
      await Promise.all([agent, other].map(expectKeptOut))
    })
    expect(await sinkIds(agent)).toEqual(idsBefore)
    expect(await sinkIds(other)).toEqual(idsBefore)
    expect(agent.output() + other.output()).not.toContain('publishing all anew')
    await other.stop()
  })

  test('that is started twice ends at once and says so', async () => {
    const { code, output } = await runToItsEnd(agent.configFile)
    expect(code).toBe(1)
    expect(output).toContain(join(agent.folder, 'data'))
    expectPlainWords(output)
    await expectUnharmed()
  })

  test('on the same ports ends at once and says which address is taken and what to do', async () => {
    const sections = () => ({ gossip: { bindAddr: agent.ip }, proxy: { port: agent.ports.proxy, bind: ['mesh'] } })
    const late = await makeAgent({ name: 'node-c', sections })
    const { code, output } = await runToItsEnd(late.configFile)
    expect(code).toBe(1)
    expect(output).toContain(`cannot listen on ${agent.ip}:${agent.ports.proxy}: the port is taken`)
    expect(output).toContain(`ss -ltnp 'sport = :${agent.ports.proxy}'`)
    expectPlainWords(output)
    await expectUnharmed()
  })

  test('whose gossip port alone is taken ends the same way', async () => {
    const gossip = { bindAddr: agent.ip, bindPort: agent.ports.gossip }
    const late = await makeAgent({ name: 'node-c', sections: () => ({ gossip }) })
    const { code, output } = await runToItsEnd(late.configFile)
    expect(code).toBe(1)
    expect(output).toMatch(new RegExp(`cannot listen on (UDP|TCP) ${agent.seed}: the port is taken`))
    expect(output).toContain(`ss -lntup 'sport = :${agent.ports.gossip}'`)
    expectPlainWords(output)
    await expectUnharmed()
  })
})

/** Somebody with the name of `first`, who knocks at `agent`. */
async function expectKeptOut(first: AgentProcess): Promise<void> {
  const impostor = await startAgent({ name: first.name, seeds: [agent.seed], processes: [sink] })
  expect(impostor.output()).toContain(`the name ${first.name} belongs to ${first.seed}`)
  const warning = `"member":"${first.name}","known":"${first.seed}","other":"${impostor.seed}"`
  expect(agent.output()).toContain(warning)
  await impostor.stop()
}

async function sinkIds(asked: AgentProcess): Promise<readonly string[]> {
  const { services } = await asked.api<ServicesAnswer>('/api/v1/services')
  const instances = services.find(({ id }) => id === 'sink')?.instances ?? []
  return instances.map(({ node, containerId, traffic }) => `${node} ${containerId} ${traffic}`)
}

/** For the operator, not for us: no stack, and no bug is claimed. */
function expectPlainWords(output: string): void {
  expect(output).not.toMatch(/^\s+at /m)
  expect(output).not.toContain('"stack"')
  expect(output).not.toContain('a bug ends this agent')
}

describe('a Docker socket', () => {
  const folder = temporaryFolder()
  const silent = createServer()
  const socketPath = (name: string): string => join(folder, name)

  beforeAll(async () => {
    writeFileSync(socketPath('file'), 'no socket')
    silent.listen(socketPath('silent'))
    await once(silent, 'listening')
  })

  afterAll(() => {
    silent.close()
  })

  test.concurrent.each([
    ['absent', 'connect ENOENT', 'is Docker installed'],
    ['file', 'connect ECONNREFUSED', 'is the Docker engine running'],
    ['silent', 'no answer within 10 s', 'engine unavailable'],
  ])('that is %s leaves the agent alive and saying so', async (name, reason, hint) => {
    const docker = { kind: 'docker', docker: { socketPath: socketPath(name) } }
    const late = await makeAgent({ name: `node-${name}`, sections: () => ({ engine: docker }) })
    late.start()
    await untilTrue('it says why', 30_000, async () => (await late.get('/health')).body.includes(reason))
    const { status, body } = await late.get('/health')
    expect([status, JSON.parse(body)]).toMatchObject([503, { code: 'NOT_READY' }])
    expect(await late.api('/api/v1/status')).toMatchObject({ engine: { kind: 'docker', connected: false } })
    expect((await late.get('/metrics')).body).toMatch(/^constellation_engine_connected 0$/m)
    expect((await late.get('/', late.ports.proxy)).status).toBe(404)
    expect(late.output()).toContain(hint)
    expect(errorLines(late)).toEqual([])
    expect(await late.stop()).toBe(0)
  })
})

describe('labels and requests', () => {
  test('labels that make no sense are complained about, the rest of them holds, the document stays valid', async () => {
    const { services } = await agent.api<ServicesAnswer>('/api/v1/services')
    const complaints = services.find(({ id }) => id === 'mislabelled')?.complaints.join('\n') ?? ''
    for (const part of ['constellation.port="99999"', '"unclosed"', '"unknown"', '"web@docker"', '"giant"'])
      expect(complaints).toContain(part)
    expect(complaints.length).toBeLessThan(4_000)
    const { status, body } = await agent.get('/', agent.ports.provider)
    expect(status).toBe(200)
    expect(validateTraefikDocument(body)).toMatchObject({ ok: true })
    expect(body).toContain('good.test.local')
    expect(body).not.toContain('xxx')
    await expectUnharmed()
  })

  test('a host nobody has is a 404 that says so', async () => {
    await expectSurvived('constellation_proxy_refused_total', '', 1, async () => {
      const answer = await throughProxy('nobody.test.local', 'GET', Readable.from([]))
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([404, { code: 'NO_SUCH_HOST' }])
    })
  })

  test('a hundred megabytes go through the proxy unchanged, and not through its memory', async () => {
    const block = randomBytes(1024 * 1024)
    const hash = createHash('sha256')
    let rssBytesMost = 0
    async function* upload(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 100; i++) {
        hash.update(block)
        yield block
        rssBytesMost = Math.max(rssBytesMost, agent.rssBytes())
      }
    }
    await expectSurvived('constellation_proxy_requests_total', 'service="sink",code="200"', 1, async () => {
      const { status, body } = await throughProxy('sink.test.local', 'PUT', Readable.from(upload()))
      expect([status, JSON.parse(body)]).toEqual([200, { sizeBytes: 100 * block.length, sha256: hash.digest('hex') }])
    })
    expect(rssBytesMost - rssBytesAtFirst).toBeLessThan(rssGrowthBytesMax)
  })
})

async function throughProxy(host: string, method: string, body: Readable): Promise<{ status: number; body: string }> {
  const asking = request({ host: agent.ip, port: agent.ports.proxy, method, headers: { host } })
  const answered = once(asking, 'response')
  await pipeline(body, asking)
  const [answer] = await answered
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return { status: answer.statusCode, body: text }
}

describe('an operator', () => {
  test('who made several mistakes reads about all of them at once', async () => {
    const file = join(temporaryFolder(), 'constellation.config.yaml')
    writeFileSync(
      file,
      [
        'domian: example.org',
        'gossip:',
        '  bindPort: 70000',
        '  seeds: [http://node-a]',
        'api: { port: 8081 }',
        'engine: { kind: podman, processes: [{ service: "a b", command: "" }] }',
        'log: { level: loud }',
      ].join('\n'),
    )
    const { code, output } = await runToItsEnd(file)
    expect(code).toBe(2)
    for (const complaint of [
      `${file}:1:9: there is no setting "domian"; did you mean "domain"?`,
      `${file}:3:13: gossip.bindPort must be a port (1 to 65535), not 70000`,
      `${file}:4:11: gossip.seeds`,
      'provider.port is 8081, which api.port already has',
      `${file}:6:17: engine.kind must be "docker" or "process", not "podman"`,
      'engine.processes[0].service: expected "service" or "project:service"',
      `${file}:7:15: log.level must be`,
    ])
      expect(output).toContain(complaint)
    expectPlainWords(output)
  })

  test.each(['dataDir', 'secretsPath'])('whose %s cannot be written is told which and what to do', async setting => {
    const inTheWay = join(temporaryFolder(), 'file')
    writeFileSync(inTheWay, '')
    const paths = (folder: string) => ({ dataDir: join(folder, 'data'), secretsPath: join(folder, 'secrets') })
    const sections = (folder: string) => ({ paths: { ...paths(folder), [setting]: join(inTheWay, 'below') } })
    const late = await makeAgent({ name: 'node-d', sections })
    const { code, output } = await runToItsEnd(late.configFile)
    expect(code).toBeGreaterThan(0)
    expect(output).toContain(join(inTheWay, 'below'))
    expectPlainWords(output)
  })
})

const mountProbe = async (): Promise<undefined> => {
  const folder = temporaryFolder()
  await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
  await promisify(execFile)('umount', [folder])
}

describe.skipIf(!(await requirePartner('the right to mount', mountProbe)))('a full disk', () => {
  let late: AgentProcess
  let filler = ''

  beforeAll(async () => {
    late = await makeAgent({ name: 'node-e' })
    const dataDir = join(late.folder, 'data')
    filler = join(dataDir, 'filler')
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dataDir])
  })

  afterAll(async () => {
    if (late.running) await late.stop()
    await promisify(execFile)('umount', [join(late.folder, 'data')])
  })

  test('at the first start is told in one sentence', async () => {
    fillDisk(filler)
    const { code, output } = await runToItsEnd(late.configFile)
    expect(code).toBe(1)
    expect(output).toContain('the disk is full: make room')
    expectPlainWords(output)
    rmSync(filler)
  })

  test('while it runs, and over a restart, costs a warning', async () => {
    late.start()
    await untilWell(late)
    fillDisk(filler)
    const company = await makeAgent({ name: 'node-f', seeds: [late.seed] })
    company.start()
    await untilTrue('it says that it cannot keep its peers', 20_000, () => late.output().includes('cannot keep state'))
    expect((await late.get('/health')).status).toBe(200)
    expect(await late.stop()).toBe(0)

    late.start()
    await untilWell(late)
    expect(late.output()).toContain('the boot epoch is taken from the wall clock')
    expectPlainWords(late.output())
    await company.stop()
  })
})

/** To the last byte, also what a small file would still find. */
function fillDisk(file: string): void {
  for (let sizeBytes = 65_536; sizeBytes >= 1; sizeBytes = Math.floor(sizeBytes / 2))
    try {
      for (;;) writeFileSync(file, new Uint8Array(sizeBytes), { flag: 'a' })
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    }
}
