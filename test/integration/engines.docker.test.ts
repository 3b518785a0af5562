/** The Docker engine against the contract, and what only it has: sockets that come and go, and streams that break. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DockerAddress } from '../../src/adapters/docker/client.ts'
import { createDockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { nodeClock } from '../../src/adapters/node/clock.ts'
import type { ContainerEngine } from '../../src/ports/container-engine.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { containerEngineContract } from '../contract/container-engine.ts'
import { watchEngine } from '../contract/watcher.ts'
import type { Watcher } from '../contract/watcher.ts'
import * as partner from './docker-partner.ts'
import type { DockerCli, OwnEngine } from './docker-partner.ts'
import { requirePartner } from './partners.ts'
import { openRudeProxy } from './rude-proxy.ts'
import type { RudeProxy } from './rude-proxy.ts'

const hasDocker = await requirePartner('a Docker engine', partner.systemEngineProbe)
const mayStartEngines = hasDocker && (await requirePartner('an engine of our own', partner.ownEngineProbe))

const { testImage, workloadFlags, systemSocket } = partner
const docker = partner.dockerCli(systemSocket)

interface Engine {
  readonly engine: ContainerEngine
}

function newEngine(address: DockerAddress): Engine {
  return { engine: createDockerEngine({ ...address, clock: nodeClock, log: recordingLog() }) }
}

function garbage(text: string) {
  return { kind: 'garbage' as const, text }
}

/** As HTTP frames a piece of a body of unknown length. */
function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

function containers(docker: DockerCli) {
  let count = 0
  const names: string[] = []
  return {
    /** With the flags given, or published on a loopback port. */
    async run(flags: readonly string[] = ['--publish', '127.0.0.1::80']): Promise<string> {
      const name = `engine-test-${process.pid}-${++count}`
      names.push(name)
      await docker('run', '--detach', '--name', name, ...workloadFlags, ...flags, testImage)
      return name
    },
    async removeAll(): Promise<void> {
      const doomed = names.splice(0)
      if (doomed.length > 0) await docker('rm', '--force', ...doomed)
    },
  }
}

describe.runIf(hasDocker)('docker', () => {
  beforeAll(() => partner.buildTestImage(docker))

  containerEngineContract('the docker engine', { listsByItself: true, publishes: true }, () => {
    const { engine } = newEngine({ socketPath: systemSocket })
    return Promise.resolve({
      engine,
      async start(name) {
        const label = `constellation.service=${name}`
        const published = ['--publish', '127.0.0.1::80', '--label', label]
        await docker('run', '--detach', '--name', name, ...workloadFlags, ...published, testImage)
      },
      setHealth: (name, healthy) => partner.setHealth(docker, name, healthy),
      kill: async name => void (await docker('kill', name)),
      remove: async name => void (await docker('rm', '--force', name).catch(() => undefined)),
      startMark: name => docker('inspect', '--format', '{{.State.StartedAt}} {{.RestartCount}}', name),
      close: () => Promise.resolve(),
    })
  })

  describe('a broken stream', () => {
    let folder: string
    let proxy: RudeProxy
    const own = containers(docker)
    const watchers: Watcher[] = []

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'rude-proxy-'))
    })
    afterEach(async () => {
      for (const watcher of watchers.splice(0)) await watcher.stop()
      await proxy.close()
      await own.removeAll()
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    async function watchedThroughProxy() {
      proxy = await openRudeProxy(join(folder, 'docker.sock'), systemSocket)
      const name = await own.run()
      const { engine } = newEngine({ socketPath: proxy.socketPath })
      const watcher = watchEngine(engine)
      watchers.push(watcher)
      await watcher.until('it is healthy', () => watcher.find(name)?.health === 'healthy')
      const kinds = (kind: string): number => watcher.events.filter(event => event.kind === kind).length
      return { name, watcher, kinds }
    }

    test.each([
      { what: 'cut in the middle of an event', rudeness: { kind: 'cutAfter' as const, bytes: 70 } },
      { what: 'no HTTP any more', rudeness: garbage('what is this?') },
      { what: 'a page instead of events', rudeness: garbage(chunk('<html>502 Bad Gateway</html>\n')) },
      { what: 'half an event, and the end of the line', rudeness: garbage(chunk('{"Type":"contain') + chunk('\n')) },
    ])('$what: the flip it hid is reported within 3 s, and it is no outage', async ({ rudeness }) => {
      const { name, watcher, kinds } = await watchedThroughProxy()
      proxy.spoilOpen('/events', rudeness)
      await partner.setHealth(docker, name, false)
      await watcher.until('it is unhealthy', () => watcher.find(name)?.health === 'unhealthy', 3_000)
      await partner.setHealth(docker, name, true)
      await watcher.until('it is healthy again', () => watcher.find(name)?.health === 'healthy', 3_000)
      expect(kinds('connected')).toBe(1)
    })

    test.each([
      { what: 'silent', rudeness: { kind: 'stall' as const } },
      { what: 'stalled in the middle of an event', rudeness: { kind: 'stallAfter' as const, bytes: 70 } },
    ])(
      'a stream gone $what: the next listing finds the flip, and a new stream tells of the one after',
      async ({ rudeness }) => {
        const { name, watcher, kinds } = await watchedThroughProxy()
        proxy.spoilOpen('/events', rudeness)
        await partner.setHealth(docker, name, false)
        await watcher.until('it is unhealthy', () => watcher.find(name)?.health === 'unhealthy', 12_000)
        await watcher.until('it subscribed anew', () => proxy.count('/events') === 2)
        await partner.setHealth(docker, name, true)
        await watcher.until('it is healthy again', () => watcher.find(name)?.health === 'healthy', 3_000)
        expect(kinds('disconnected')).toBe(0)
      },
    )

    test('a slow engine is followed', async () => {
      const { name, watcher, kinds } = await watchedThroughProxy()
      proxy.behave('/', { kind: 'slow', delayMs: 1_000 })
      await partner.setHealth(docker, name, false)
      await watcher.until('it is unhealthy', () => watcher.find(name)?.health === 'unhealthy', 6_000)
      expect(kinds('disconnected')).toBe(0)
    })

    test('an answer that never ends is an outage, reported once, and the rest of the agent goes on', async () => {
      const { name, watcher, kinds } = await watchedThroughProxy()
      proxy.behave('/containers/json', { kind: 'stallAfter', bytes: 200 })
      await watcher.until('the outage is known', () => kinds('disconnected') === 1, 25_000)
      expect(watcher.find(name)?.health).toBe('healthy') // what was known stays known
      await watcher.until('it has tried again in vain', () => proxy.count('/containers/json') >= 3, 25_000)
      await partner.setHealth(docker, name, false)
      proxy.behave('/containers/json', { kind: 'polite' })
      await watcher.until('it is unhealthy', () => watcher.find(name)?.health === 'unhealthy', 25_000)
      expect(kinds('disconnected')).toBe(1)
      expect(kinds('connected')).toBe(2)
    }, 90_000)

    test('one container the engine chokes on hides no other', async () => {
      const { name, watcher, kinds } = await watchedThroughProxy()
      const wedged = await own.run()
      await watcher.until('both are known', () => watcher.find(wedged)?.health === 'healthy')
      proxy.behave(`/containers/${watcher.find(wedged)?.id}/json`, { kind: 'stall' })
      await partner.setHealth(docker, wedged, false)
      await partner.setHealth(docker, name, false)
      await watcher.until('the other is unhealthy', () => watcher.find(name)?.health === 'unhealthy', 3_000)
      proxy.behave(`/containers/${watcher.find(wedged)?.id}/json`, { kind: 'polite' })
      await watcher.until('and so is this one', () => watcher.find(wedged)?.health === 'unhealthy', 25_000)
      expect(kinds('disconnected')).toBe(0)
    })

    test('restart through an engine that does not answer is EngineUnavailable', async () => {
      await watchedThroughProxy()
      proxy.behave('/', { kind: 'cutAfter', bytes: 20 })
      const { engine } = newEngine({ socketPath: proxy.socketPath })
      const restarted = engine.restart('any', new AbortController().signal)
      await expect(restarted).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    })
  })

  test('a flip is reported within 2 s of the end of the check that made it, five times out of five', async () => {
    const own = containers(docker)
    const name = await own.run()
    const watcher = watchEngine(newEngine({ socketPath: systemSocket }).engine)
    const delaysMs: number[] = []
    try {
      await watcher.until('it is healthy', () => watcher.find(name)?.health === 'healthy')
      for (let flip = 0; flip < 5; flip++) {
        const health = flip % 2 === 0 ? 'unhealthy' : 'healthy'
        await partner.setHealth(docker, name, health === 'healthy')
        await watcher.until(`it is ${health}`, () => watcher.find(name)?.health === health)
        const heardAtMs = Date.now()
        delaysMs.push(heardAtMs - (await lastCheckEndMs(name, health)))
      }
    } finally {
      await watcher.stop()
      await own.removeAll()
    }
    console.log(`health flip to report, ms after the end of the check: ${delaysMs.map(Math.round).join(' ')}`)
    expect(Math.max(...delaysMs)).toBeLessThan(2_000)
  })

  test.each(['tcp://127.0.0.1:1', 'unix:///no/such.sock'])(
    'the address it was given holds against DOCKER_HOST=%s, over a socket and over TCP',
    async elsewhere => {
      const front = createServer(client => {
        const upstream = connect(systemSocket)
        for (const socket of [client, upstream]) socket.on('error', () => undefined)
        client.pipe(upstream).pipe(client)
      })
      await new Promise<void>(resolve => front.listen(0, '127.0.0.1', resolve))
      const { port } = front.address() as AddressInfo
      process.env['DOCKER_HOST'] = elsewhere
      try {
        for (const address of [{ socketPath: systemSocket }, { host: '127.0.0.1', port }]) {
          const watcher = watchEngine(newEngine(address).engine)
          await watcher.until('it has listed', () => watcher.events.some(event => event.kind === 'listed'))
          expect(watcher.events[0]?.kind).toBe('connected')
          await watcher.stop()
        }
      } finally {
        delete process.env['DOCKER_HOST']
        front.close()
      }
    },
  )

  /** Engine's clock: the end of the first check of the row that led to the current health. */
  async function lastCheckEndMs(name: string, health: string): Promise<number> {
    const checks = JSON.parse(await docker('inspect', '--format', '{{json .State.Health.Log}}', name)) as {
      End: string
      ExitCode: number
    }[]
    const passes = (check: { ExitCode: number } | undefined): boolean =>
      (check?.ExitCode === 0) === (health === 'healthy')
    const turn = checks.findLastIndex(check => !passes(check)) + 1
    return Date.parse(checks[turn]?.End ?? '')
  }
})

describe.runIf(mayStartEngines)('an engine of our own', () => {
  let own: OwnEngine
  let watcher: Watcher
  let engine: Engine
  const kinds = (): string[] => watcher.events.map(event => event.kind)
  const count = (kind: string): number => kinds().filter(one => one === kind).length
  const noNetwork = ['--network', 'none']

  beforeAll(() => {
    own = partner.ownEngine()
    engine = newEngine({ socketPath: own.socketPath })
  })
  afterAll(async () => {
    await watcher.stop()
    await own.destroy()
  }, 60_000)

  test('is waited for when its socket does not exist yet: one disconnected, then connected and listed', async () => {
    expect(existsSync(own.socketPath)).toBe(false)
    watcher = watchEngine(engine.engine)
    await watcher.until('its absence is known', () => count('disconnected') === 1)
    await own.start()
    await watcher.until('it is listed', () => count('listed') === 1)
    expect(kinds()).toEqual(['disconnected', 'connected', 'listed'])
    expect(watcher.events[0]).toMatchObject({ reason: expect.stringContaining('ENOENT') })
    await partner.buildTestImage(own.docker)
  }, 60_000)

  test.each(['stop', 'kill'] as const)(
    'is followed through %s and start: one outage, nothing lost, containers untouched',
    async end => {
      const some = containers(own.docker)
      const run = (): Promise<string> => some.run(noNetwork)
      const [stays, dies, goes] = [await run(), await run(), await run()]
      await watcher.until('all are known', () => [stays, dies, goes].every(name => watcher.find(name) !== undefined))
      await watcher.until('it is healthy', () => watcher.find(stays)?.health === 'healthy')
      const startedAt = watcher.find(stays)?.startedAtWallMs
      const before = watcher.events.length
      const pid = await own.docker('inspect', '--format', '{{.State.Pid}}', dies)
      await own.docker('rm', '--force', goes)

      await own[end]()
      await watcher.until('the outage is known', () => kinds().slice(before).includes('disconnected'))
      expect(watcher.find(stays)).toBeDefined()
      process.kill(Number(pid), 'SIGKILL')
      await own.start()
      await watcher.until('it is listed again', () => kinds().slice(before).includes('listed'), 20_000)
      const since = kinds().slice(before)
      expect(since.filter(kind => kind === 'disconnected' || kind === 'connected')).toEqual([
        'disconnected',
        'connected',
      ])
      await watcher.until('the dead one is known to be dead', () => watcher.find(dies)?.state === 'exited')
      expect(watcher.find(goes)).toBeUndefined()
      expect(watcher.find(stays)).toMatchObject({ state: 'running', startedAtWallMs: startedAt })
      const late = await run()
      await watcher.until('events flow again', () => watcher.find(late)?.state === 'running', 3_000)
      await some.removeAll()
    },
    120_000,
  )
})
