/** A real Docker engine for tests: Debian's client, an image made of busybox alone, and engines of our own to kill. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { untilTrue } from './watching.ts'

/** The client of the engine's own package, whatever else comes first on the PATH. */
const client = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker'
const busybox = ['/usr/bin/busybox', '/bin/busybox'].find(existsSync)
export const systemSocket = '/var/run/docker.sock'
/** Under an address nobody listens on: an engine that wants to pull it is refused at once. */
export const testImage = '127.0.0.1:1/constellation-engine-test'

export type DockerCli = (...args: readonly string[]) => Promise<string>

export function dockerCli(socketPath: string): DockerCli {
  return async (...args) => {
    const { stdout } = await promisify(execFile)(client, ['--host', `unix://${socketPath}`, ...args])
    return stdout.trim()
  }
}

/** Answers what is missing for tests against the node's own engine. */
export async function systemEngineProbe(): Promise<string | undefined> {
  if (busybox === undefined) return 'busybox-static is not installed'
  await dockerCli(systemSocket)('version')
  return undefined
}

/** Answers what is missing for starting engines of our own. */
export async function ownEngineProbe(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may start an engine'
  await promisify(execFile)('unshare', ['--net', '--', 'dockerd', '--version'])
  return systemEngineProbe()
}

/** A web server on port 80 whose files are in /www. */
export async function buildTestImage(docker: DockerCli): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'engine-image-'))
  copyFileSync(busybox ?? '', join(folder, 'busybox'))
  mkdirSync(join(folder, 'www'))
  writeFileSync(join(folder, 'www', 'index.html'), 'ok\n')
  const lines = ['FROM scratch', 'COPY busybox /bin/busybox', 'COPY busybox /bin/sh', 'COPY www /www', 'EXPOSE 80']
  const command = 'CMD ["/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/www"]'
  writeFileSync(join(folder, 'Dockerfile'), [...lines, command, ''].join('\n'))
  try {
    await docker('build', '--quiet', '--tag', testImage, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Checked five times a second; passes until the file it looks for is gone. The server does not listen to SIGTERM. */
export const workloadFlags = [
  ['--stop-timeout', '1'],
  ['--health-cmd', 'busybox test -f /www/index.html'],
  ['--health-interval', '200ms'],
  ['--health-retries', '1'],
].flat()

export async function setHealth(docker: DockerCli, name: string, healthy: boolean): Promise<void> {
  const index = '/www/index.html'
  await docker('exec', name, '/bin/busybox', ...(healthy ? ['touch', index] : ['rm', '-f', index]))
}

export interface OwnEngine {
  readonly socketPath: string
  readonly docker: DockerCli
  start(): Promise<void>
  /** SIGTERM, and waits for its end; containers end with it. */
  stop(): Promise<void>
  /** SIGKILL: no goodbye, containers live on. */
  kill(): Promise<void>
  /** Ends it, what it left running, and its folder. */
  destroy(): Promise<void>
}

/**
 * An engine beside the node's own that shares nothing with it. Not started yet. It gets a network namespace to itself: an engine
 * told to have no bridge deletes the `docker0` it finds, and that would be the other engine's.
 */
export function ownEngine(): OwnEngine {
  const folder = mkdtempSync(join(tmpdir(), 'dockerd-'))
  const socketPath = join(folder, 'docker.sock')
  const docker = dockerCli(socketPath)
  const places = ['data-root', 'exec-root', 'pidfile'].map(place => `--${place}=${join(folder, place)}`)
  const apart = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--live-restore']
  const containerdPidFile = join(folder, 'exec-root', 'containerd', 'containerd.pid')
  let engine: ChildProcess | undefined

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = engine
    engine = undefined
    if (ending === undefined) return
    const ended = new Promise(resolve => ending.once('exit', resolve))
    const containerd = Number(readFileSync(containerdPidFile, 'utf8'))
    ending.kill(signal)
    await ended
    // What a killed engine leaves: its pid file, and a containerd that is about to end. The next would wait for that in vain.
    for (const file of [join(folder, 'pidfile'), containerdPidFile]) rmSync(file, { force: true })
    await untilTrue('its containerd has ended', 15_000, () => !existsSync(`/proc/${containerd}`))
  }

  async function start(): Promise<void> {
    // unshare becomes the engine: the pid is the same.
    const command = ['dockerd', ...places, ...apart, `--host=unix://${socketPath}`]
    engine = spawn('unshare', ['--net', '--', ...command], { stdio: 'ignore' })
    await untilTrue('our own engine answers', 30_000, () => docker('version').then(Boolean))
  }

  return {
    socketPath,
    docker,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async destroy() {
      if (engine === undefined) await start()
      const ids = (await docker('ps', '--all', '--quiet')).split('\n').filter(Boolean)
      if (ids.length > 0) await docker('rm', '--force', ...ids)
      await end('SIGTERM')
      // Left mounted by an engine that was killed.
      await promisify(execFile)('umount', ['--recursive', join(folder, 'data-root')]).catch(() => undefined)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
