/**
 * The workload of the lab: an image of one static busybox, and containers labelled as a compose project labels its own.
 * No registry is asked: the image is imported into each engine.
 */
import { readFileSync } from 'node:fs'
import { docker } from './engine.ts'
import { run } from './shell.ts'
import type { LabNode } from './state.ts'

/** The address makes an engine that would pull it fail at once instead of asking the internet. */
export const image = '127.0.0.1:1/lab-web'

export interface StackService {
  readonly service: string
  readonly exposed: boolean
  /** Published on every address of the node; absent: reachable on the node's own networks only. */
  readonly hostPort?: number
  readonly labels?: readonly string[]
  /** As Docker reads it; each check starts a process in the container. */
  readonly healthInterval?: string
}

/** An ordinary stack: one service behind a published port, one without, a database nobody may reach. */
export const shop: readonly StackService[] = [
  { service: 'api', exposed: true, hostPort: 18_080 },
  { service: 'web', exposed: true },
  { service: 'db', exposed: false, hostPort: 15_432 },
]

/** A tar made by busybox' own tar of its own binary; the image needs nothing else. */
export async function importImage(node: LabNode): Promise<void> {
  const archive = await busyboxImage()
  await docker(node, ['import', '--change', 'CMD ["/bin/busybox","sh"]', '-', image], archive)
}

async function busyboxImage(): Promise<Uint8Array> {
  const folder = (await run('mktemp', ['-d'])).trim()
  const names = [
    'sh',
    'httpd',
    'wget',
    'cat',
    'rm',
    'touch',
    'mkdir',
    'echo',
    'sleep',
    'hostname',
    'kill',
    'true',
    'test',
    'exec',
  ]
  await run('mkdir', ['-p', `${folder}/bin`, `${folder}/www`, `${folder}/tmp`, `${folder}/etc`])
  await run('cp', ['/bin/busybox', `${folder}/bin/busybox`])
  for (const name of names) await run('ln', ['-s', 'busybox', `${folder}/bin/${name}`])
  await run('tar', ['-C', folder, '-cf', `${folder}.tar`, '.'])
  const archive = readFileSync(`${folder}.tar`)
  await run('rm', ['-rf', folder, `${folder}.tar`])
  return archive
}

/** Starts one service of a compose-like project: real health check, restart policy as compose files have it. */
export async function startService(node: LabNode, project: string, wanted: StackService): Promise<string> {
  const name = `${project}-${wanted.service}-1`
  const serve = `mkdir -p /www; echo ${wanted.service} on ${node.name} > /www/index.html; echo ok > /www/health; exec httpd -f -p 80 -h /www`
  const labels = [
    `com.docker.compose.project=${project}`,
    `com.docker.compose.service=${wanted.service}`,
    ...(wanted.exposed
      ? ['traefik.enable=true', `traefik.http.services.${wanted.service}.loadbalancer.server.port=80`]
      : []),
    ...(wanted.labels ?? []),
  ]
  const id = await docker(node, [
    'run',
    '--detach',
    `--name=${name}`,
    '--restart=unless-stopped',
    '--init=false',
    '--stop-timeout=1',
    ...labels.flatMap(label => ['--label', label]),
    ...(wanted.hostPort === undefined ? [] : [`--publish=${wanted.hostPort}:80`]),
    '--health-cmd=wget -q -O /dev/null http://127.0.0.1/health',
    `--health-interval=${wanted.healthInterval ?? '1s'}`,
    '--health-timeout=1s',
    '--health-retries=2',
    image,
    '/bin/sh',
    '-c',
    serve,
  ])
  return id.trim()
}

export async function startStack(
  node: LabNode,
  project = 'shop',
  services: readonly StackService[] = shop,
): Promise<void> {
  for (const service of services) await startService(node, project, service)
}

/** Makes the health check of a container fail or pass. */
export async function setHealth(node: LabNode, container: string, healthy: boolean): Promise<void> {
  await docker(node, ['exec', container, '/bin/sh', '-c', healthy ? 'echo ok > /www/health' : 'rm -f /www/health'])
}
