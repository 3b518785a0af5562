/** The process engine against the contract, and what only it has: adoption, back-off, checks of three kinds, its own `stop`. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { nodeClock } from '../../src/adapters/node/clock.ts'
import { createProcessEngine } from '../../src/adapters/process/process-engine.ts'
import type { ProcessEngine } from '../../src/adapters/process/process-engine.ts'
import type { ProcessSpec } from '../../src/adapters/process/process-spec.ts'
import { processFolder, runningWorkloads } from '../../src/adapters/process/process-state.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { containerEngineContract } from '../contract/container-engine.ts'
import { watchEngine } from '../contract/watcher.ts'
import type { Watcher } from '../contract/watcher.ts'
import { untilTrue } from './watching.ts'

const timing = { intervalMs: 100, timeoutMs: 1_000, retries: 2, startPeriodMs: 0 }

/** Answers 200, or 503 while the file named by FAIL exists. */
const webServer = `
  const { createServer } = require('node:http')
  const { existsSync } = require('node:fs')
  createServer((request, response) => {
    const failing = request.url === '/health' && existsSync(process.env.FAIL)
    response.writeHead(failing ? 503 : 200).end(JSON.stringify(process.env))
  }).listen(Number(process.env.PORT), process.env.HOST)
`

function aSpec(over: Partial<ProcessSpec> = {}): ProcessSpec {
  const health = { command: ['true'], ...timing }
  return { service: 'web', command: 'sleep', args: ['1000'], env: {}, labels: {}, health, ...over }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

function newEngine(dataDir: string, specs: readonly ProcessSpec[] = []): ProcessEngine {
  return createProcessEngine({ specs, dataDir, publishIp: '127.0.0.1', clock: nodeClock, log: recordingLog() })
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'process-engine-'))

containerEngineContract('the process engine', { listsByItself: true, publishes: true }, () => {
  const dataDir = newFolder()
  const engine = newEngine(dataDir)
  const specs = new Map<string, ProcessSpec>()
  const flag = (name: string): string => join(dataDir, `${name}.fail`)
  const pidOf = (name: string): number => runningWorkloads(dataDir).find(workload => workload.name === name)?.pid ?? 0
  return Promise.resolve({
    engine,
    async start(name) {
      const health = { http: '/health', ...timing }
      const args = ['-e', webServer]
      const spec = aSpec({ command: process.execPath, args, env: { FAIL: flag(name) }, port: await freePort(), health })
      specs.set(name, { ...spec, service: name })
      await engine.apply([...specs.values()])
    },
    async setHealth(name, healthy) {
      if (healthy) rmSync(flag(name), { force: true })
      else writeFileSync(flag(name), '')
    },
    kill: name => Promise.resolve(void process.kill(pidOf(name), 'SIGKILL')),
    async remove(name) {
      specs.delete(name)
      await engine.apply([...specs.values()])
    },
    startMark: name => Promise.resolve(String(pidOf(name))),
    async close() {
      await engine.stop()
      rmSync(dataDir, { recursive: true })
    },
  })
})

describe('processes', () => {
  const engines: ProcessEngine[] = []
  const watchers: Watcher[] = []
  const folders: string[] = []

  function folder(): string {
    const dataDir = newFolder()
    folders.push(dataDir)
    return dataDir
  }

  function watched(dataDir: string, specs: readonly ProcessSpec[]): { engine: ProcessEngine; watcher: Watcher } {
    const engine = newEngine(dataDir, specs)
    const watcher = watchEngine(engine)
    engines.push(engine)
    watchers.push(watcher)
    return { engine, watcher }
  }

  const running = (watcher: Watcher, name = 'web') =>
    watcher.until(`${name} runs`, () => watcher.find(name)?.state === 'running')
  const pids = (dataDir: string): readonly number[] => runningWorkloads(dataDir).map(({ pid }) => pid)

  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.stop()
    for (const watcher of watchers.splice(0)) await watcher.stop()
    for (const dataDir of folders.splice(0)) rmSync(dataDir, { recursive: true })
  })

  test('a restarted agent adopts what runs: same process, same id, healthy from the first word on', async () => {
    const dataDir = folder()
    const first = watched(dataDir, [aSpec()])
    await first.watcher.until('it is healthy', () => first.watcher.find('web')?.health === 'healthy')
    const [before, alive] = [first.watcher.find('web'), pids(dataDir)]
    await first.watcher.stop()
    expect(pids(dataDir)).toEqual(alive)

    const second = watched(dataDir, [aSpec()])
    await running(second.watcher)
    expect(second.watcher.events[1]).toMatchObject({ kind: 'listed', containers: [before] })
    expect(pids(dataDir)).toEqual(alive)
  })

  test('an adopted process that dies is noticed and started again', async () => {
    const dataDir = folder()
    const first = watched(dataDir, [aSpec()])
    await running(first.watcher)
    await first.watcher.stop()
    const [pid] = pids(dataDir)
    const second = watched(dataDir, [aSpec()])
    await running(second.watcher)
    process.kill(pid ?? 0, 'SIGKILL')
    await untilTrue('another runs', 5_000, () => pids(dataDir).length === 1 && pids(dataDir)[0] !== pid)
  })

  test('a pid that was given to another process is not adopted, and that process is left alone', async () => {
    const dataDir = folder()
    const first = watched(dataDir, [aSpec()])
    await running(first.watcher)
    await first.watcher.stop()
    const [pid] = pids(dataDir)
    const file = join(processFolder(dataDir), 'state.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"startTicks": \d+/, '"startTicks": 7'))
    const second = watched(dataDir, [aSpec()])
    await running(second.watcher)
    expect(pids(dataDir)).not.toEqual([pid])
    await second.engine.stop()
    process.kill(pid ?? 0, 0) // throws if it is gone
    process.kill(pid ?? 0, 'SIGKILL')
  })

  test('an unreadable record is no reason not to run', async () => {
    const dataDir = folder()
    mkdirSync(processFolder(dataDir))
    writeFileSync(join(processFolder(dataDir), 'state.json'), '{"version": 1, "worklo')
    await running(watched(dataDir, [aSpec()]).watcher)
  })

  test('a changed spec is another process with another id; what is no longer wanted ends', async () => {
    const dataDir = folder()
    const first = watched(dataDir, [aSpec(), aSpec({ service: 'old' })])
    await running(first.watcher)
    await running(first.watcher, 'old')
    const [id, alive] = [first.watcher.find('web')?.id, pids(dataDir)]
    await first.watcher.stop()
    const second = watched(dataDir, [aSpec({ args: ['2000'] })])
    await running(second.watcher)
    expect(second.watcher.find('web')?.id).not.toBe(id)
    await untilTrue('both old ones are gone', 5_000, () => alive.every(pid => !isAlive(pid)))
    expect(pids(dataDir)).toHaveLength(1)
  })

  test('one that exits again and again is started with growing pauses', async () => {
    const { watcher } = watched(folder(), [aSpec({ command: 'false', args: [] })])
    const starts = (): readonly number[] =>
      watcher.events.flatMap(event =>
        event.kind === 'changed' && event.container.state === 'running' ? [event.container.startedAtWallMs ?? 0] : [],
      )
    await watcher.until('it was started five times', () => starts().length >= 5)
    const pauses = starts().map((start, index) => start - (starts()[index - 1] ?? 0))
    for (const [index, pause] of [100, 200, 400, 800].entries()) {
      expect(pauses[index + 1]).toBeGreaterThanOrEqual(pause)
      expect(pauses[index + 1]).toBeLessThan(pause + 1_000)
    }
    await watcher.until('its exit code is told', () => watcher.find('web')?.exitCode === 1)
  })

  test('a program that is not there is reported like one that exits, and restart says why', async () => {
    const { engine, watcher } = watched(folder(), [aSpec({ command: '/no/such/program' })])
    await watcher.until('it is waiting', () => watcher.find('web')?.exitCode === 127)
    const restarted = engine.restart(watcher.find('web')?.id ?? '', new AbortController().signal)
    await expect(restarted).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('ENOENT'),
    })
  })

  test('stop ends a process that ignores SIGTERM, and its children', async () => {
    const dataDir = folder()
    const script = 'trap "" TERM; sleep 1000 & echo $! > "$CHILD"; while :; do sleep 0.1; done'
    const spec = aSpec({ command: 'sh', args: ['-c', script], env: { CHILD: join(dataDir, 'child') } })
    const { engine, watcher } = watched(dataDir, [spec])
    await running(watcher)
    await untilTrue('its child runs', 5_000, () => readFileSync(join(dataDir, 'child'), 'utf8').trim() !== '')
    const [pid = 0] = pids(dataDir)
    const child = Number(readFileSync(join(dataDir, 'child'), 'utf8'))
    await engine.stop()
    // A killed process has a number until it is reaped, a moment later.
    await untilTrue('both are gone', 2_000, () => !isAlive(pid) && !isAlive(child))
  }, 30_000)

  test('two specs of one service are two instances', async () => {
    const { watcher } = watched(folder(), [aSpec({ env: { N: '1' } }), aSpec({ env: { N: '2' } })])
    await running(watcher, 'web')
    await running(watcher, 'web#2')
    expect(watcher.find('web#2')?.labels).toEqual({ 'constellation.service': 'web' })
    expect(watcher.find('web#2')?.id).not.toBe(watcher.find('web')?.id)
  })

  test('a process is told its place, and nothing else of the agent’s environment', async () => {
    process.env['SECRET_OF_THE_AGENT'] = 'hunter2'
    const port = await freePort()
    const spec = aSpec({
      command: process.execPath,
      args: ['-e', webServer],
      env: { FAIL: '/none', EXTRA: 'yes' },
      port,
    })
    const { watcher } = watched(folder(), [{ ...spec, health: { tcp: true, ...timing } }])
    await watcher.until('it listens', () => watcher.find('web')?.health === 'healthy')
    delete process.env['SECRET_OF_THE_AGENT']
    const told: unknown = await (await fetch(`http://127.0.0.1:${port}/`)).json()
    const place = { PORT: String(port), HOST: '127.0.0.1', CONSTELLATION_SERVICE: 'web', EXTRA: 'yes' }
    expect(told).toMatchObject({ ...place, PATH: process.env['PATH'] })
    expect(told).not.toHaveProperty('SECRET_OF_THE_AGENT')
  })

  test.each([
    { kind: 'a port nobody listens on', health: { tcp: true as const, ...timing } },
    { kind: 'a path nobody answers', health: { http: '/', ...timing } },
    { kind: 'a command that fails', health: { command: ['false'], ...timing } },
    { kind: 'a command that does not come back', health: { command: ['sleep', '100'], ...timing, timeoutMs: 50 } },
    { kind: 'a command that does not exist', health: { command: ['/no/such/check'], ...timing } },
  ])('$kind is unhealthy', async ({ health }) => {
    const { watcher } = watched(folder(), [aSpec({ port: await freePort(), health })])
    await watcher.until('it is unhealthy', () => watcher.find('web')?.health === 'unhealthy')
    expect(watcher.find('web')?.state).toBe('running')
  })

  test('output goes to a file, which is emptied before it fills the disk', async () => {
    const dataDir = folder()
    const script = 'head -c 3000000 /dev/zero | tr "\\0" x; while :; do echo alive; sleep 0.1; done'
    const first = watched(dataDir, [aSpec({ command: 'sh', args: ['-c', script] })])
    await running(first.watcher)
    const file = join(processFolder(dataDir), 'web.log')
    await untilTrue('it has written a lot', 10_000, () => readFileSync(file, 'utf8').includes('alive'))
    const second = watchEngine(first.engine) // lists at once, and looks at the output then
    watchers.push(second)
    await untilTrue('the file is small again, and written on', 5_000, () => {
      const text = readFileSync(file, 'utf8')
      return text.length < 1_000 && text.includes('alive')
    })
    expect(readFileSync(`${file}.1`, 'utf8')).toHaveLength(3_000_006)
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
