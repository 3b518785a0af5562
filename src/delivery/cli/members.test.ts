/** `members` and `gossip trace` against real REST servers, without sockets in between. */
import { describe, expect, test } from 'vitest'
import type { GossipMembersAnswer, TraceAnswer } from '../../controllers/gossip-answers.ts'
import type { Facade } from '../../controllers/facade.ts'
import { aFacade } from '../../testing/a-facade.ts'
import { recordingLog } from '../../testing/recording-log.ts'
import { recordingMetrics } from '../../testing/recording-metrics.ts'
import { createAuthorise, createRestServer } from '../rest/index.ts'
import { runCli } from './program.ts'

const token = 'a-token-of-some-length'

/** Making a server takes longer than asking it: one for each facade. */
const servers = new Map<Facade, ReturnType<typeof createRestServer>>()

function serverOf(facade: Facade): ReturnType<typeof createRestServer> {
  const known = servers.get(facade)
  if (known !== undefined) return known
  const authorise = createAuthorise({ token, hostNames: [] })
  const parts = { facade, metrics: recordingMetrics(), log: recordingLog(), authorise, version: '1.2.3' }
  const made = createRestServer(parts)
  servers.set(facade, made)
  return made
}

interface Scene {
  /** By host of the URL; the first is the agent of this node. */
  readonly agents: Readonly<Record<string, Facade>>
  readonly terminal?: boolean
  /** How often `--watch` may ask before Ctrl-C. */
  readonly looks?: number
}

async function run(args: readonly string[], { agents, terminal = false, looks = 1 }: Scene) {
  const said = { out: '', err: '' }
  const interrupted = new AbortController()
  let [now, looked] = [1_000, 0]
  const code = await runCli(args, {
    version: '1.2.3',
    io: {
      out: text => (said.out += text),
      err: text => (said.err += text),
      colours: false,
      terminal,
      wallNow: () => 1_700_000_000_000 + now,
      now: () => now,
    },
    configFlags: [],
    loadConfig: () =>
      Promise.resolve({ config: { api: { port: 80 }, paths: { secretsPath: '' } }, file: undefined, settings: [] }),
    runAgent: () => Promise.resolve(0),
    runDemo: () => Promise.resolve(0),
    readToken: () => Promise.resolve(token),
    readFile: () => Promise.reject(new Error('no such file')),
    readStdin: () => Promise.resolve(''),
    sleep: delayMs => {
      now += delayMs
      if (++looked >= looks) interrupted.abort()
      return Promise.resolve()
    },
    interruption: () => interrupted.signal,
    async fetch(url, { headers }) {
      const { host, hostname, pathname } = new URL(url)
      const facade = agents[hostname]
      if (facade === undefined) throw new Error('connect ECONNREFUSED')
      const app = await serverOf(facade)
      now += 1
      const local = hostname === '127.0.0.1'
      const remoteAddress = local ? '127.0.0.1' : '100.64.0.9'
      const answer = await app.inject({ method: 'GET', url: pathname, headers: { ...headers, host }, remoteAddress })
      now += 1
      return new Response(answer.body, { status: answer.statusCode })
    },
  })
  return { code, ...said }
}

const here = '127.0.0.1'
const usual = aFacade()

describe('members', () => {
  test('shows everybody gossip knows and exits with 1 while one is dead', async () => {
    const { code, out } = await run(['members'], { agents: { [here]: usual } })
    expect(code).toBe(1)
    expect(out).toBe(
      [
        'MEMBER    STATUS  FOR  ADDRESS          INCARNATION  PROTOCOL  HEALTH  ROLE     PRIORITY  META',
        'node-a *  alive   1m   100.64.0.1:7946  1            2 (1-5)   0       node     50        41 B',
        'node-b    dead    10s  100.64.0.1:7946  3            2 (1-5)   -       node     50        41 B',
        'serf-1    alive   30s  100.64.0.1:7946  1            2 (1-5)   -       foreign  -         3 B',
        '',
      ].join('\n'),
    )
  })

  test('--json prints what the API answered', async () => {
    const { out } = await run(['members', '--json'], { agents: { [here]: usual } })
    expect(JSON.parse(out)).toMatchObject({
      node: 'node-a',
      members: [{ name: 'node-a' }, { statusForMs: 10_000 }, {}],
    })
  })
})

/** node-b dies at the third look and is forgotten at the fifth. */
function dying(): Facade {
  let looks = 0
  const facade = usual
  const gossipMembers = (): GossipMembersAnswer => {
    const { node, members } = facade.gossipMembers()
    const status = ++looks < 3 ? 'alive' : 'dead'
    const seen = members.map(member => (member.name === 'node-b' ? ({ ...member, status } as const) : member))
    return { node, members: looks < 5 ? seen : seen.filter(({ name }) => name !== 'node-b') }
  }
  return { ...facade, gossipMembers }
}

describe('members --watch', () => {
  test('without a terminal prints a line per change and ends with 0', async () => {
    const { code, out } = await run(['members', '--watch'], { agents: { [here]: dying() }, looks: 6 })
    expect(code).toBe(0)
    expect(out.trim().split('\n')).toEqual([
      '2023-11-14T22:13:21.002Z node-a (100.64.0.1:7946) alive',
      '2023-11-14T22:13:21.002Z node-b (100.64.0.1:7946) alive',
      '2023-11-14T22:13:21.002Z serf-1 (100.64.0.1:7946) alive',
      '2023-11-14T22:13:23.006Z node-b (100.64.0.1:7946) alive -> dead',
      '2023-11-14T22:13:25.010Z node-b (100.64.0.1:7946) dead -> forgotten',
    ])
  })

  test('with --json each change is one JSON line', async () => {
    const { out } = await run(['members', '--watch', '--json'], {
      agents: { [here]: dying() },
      looks: 4,
      terminal: true,
    })
    const lines = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown)
    expect(lines).toHaveLength(4)
    expect(lines[3]).toMatchObject({ member: 'node-b', from: 'alive', to: 'dead', at: '2023-11-14T22:13:23.006Z' })
  })

  test('on a terminal draws in place, only when there is something new to see', async () => {
    const { out } = await run(['members', '--watch'], { agents: { [here]: dying() }, looks: 4, terminal: true })
    const frames = out.split('\u001b[H').slice(1)
    expect(frames).toHaveLength(2)
    expect(frames[0]).toContain('nothing has changed yet')
    expect(frames[1]).toContain('last change 2023-11-14T22:13:23.006Z')
    expect(frames[1]).toContain('node-b (100.64.0.1:7946) alive -> dead')
  })

  test('an agent that was never there is an error', async () => {
    expect((await run(['members', '--watch'], { agents: {} })).code).toBe(3)
  })

  test('an agent that goes away is said once and asked again', async () => {
    let looks = 0
    const facade = usual
    const flaky: Facade = {
      ...facade,
      gossipMembers() {
        if (++looks > 1 && looks < 4) throw new Error('restarting')
        return facade.gossipMembers()
      },
    }
    const { code, out, err } = await run(['members', '--watch'], { agents: { [here]: flaky }, looks: 5 })
    expect(code).toBe(0)
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(out.trim().split('\n')).toHaveLength(3)
  })
})

/** The author, whose monotonic clock is 900 s ahead of the other's. */
const author: Facade = {
  ...usual,
  trace: () => ({ kind: 'found', walk: authorsWalk }),
}

const authorsWalk: TraceAnswer = {
  node: 'node-b',
  nowMs: 960_000,
  wallNowMs: 1_700_000_061_500,
  key: 'shop:web@node-b#8',
  hops: [
    { hop: 'observed', atMs: 954_900, wallMs: 0, detail: 'running, unhealthy' },
    { hop: 'decided', atMs: 954_900.5, wallMs: 0, detail: 'unhealthy: exit 1' },
    { hop: 'published', atMs: 954_901, wallMs: 0, detail: 'unhealthy' },
    { hop: 'sent', atMs: 954_990, wallMs: 0, detail: 'first to 100.64.0.1:7946' },
  ],
}

describe('gossip trace', () => {
  const other = '100.64.0.2'

  test('asks every agent, compares their clocks and shows one timeline', async () => {
    const agents = { [here]: usual, [other]: author }
    const args = ['gossip', 'trace', 'web@node-b', '--also', `${other}:8080=b.token`]
    const { code, out } = await run(args, { agents })
    expect(out).toBe(
      [
        'shop:web@node-b#8',
        '',
        '       MS        +MS  NODE    HOP         WHAT',
        '      0.0       +0.0  node-b  observed    running, unhealthy',
        '      0.5       +0.5  node-b  decided     unhealthy: exit 1',
        '      1.0       +0.5  node-b  published   unhealthy',
        '     90.0      +89.0  node-b  sent        first to 100.64.0.1:7946',
        '     92.0       +2.0  node-a  received    unhealthy by gossip from 100.64.0.2:7946',
        '     92.3       +0.3  node-a  viewed      traffic no: unhealthy: exit 1',
        '     92.5       +0.3  node-a  planned     routes lost it: unhealthy: exit 1',
        '    292.8     +200.3  node-a  documented  generation 3, etag "abc"',
        '    992.0     +699.3  node-a  served      polled by 127.0.0.1 (slowest)',
        '',
        'total 992.0 ms from observed on node-b to served on node-a',
        'clock of node-a: known to +-1.0 ms; its wall clock is 1001.0 ms behind ours',
        'clock of node-b: known to +-1.0 ms; its wall clock is 60491.0 ms ahead of ours',
        '',
      ].join('\n'),
    )
    expect(code).toBe(0)
  })

  test('says when nobody else was asked', async () => {
    const { out } = await run(['gossip', 'trace', 'web@node-b#8'], { agents: { [here]: usual } })
    expect(out).toContain('only node-a was asked; --also <url> asks others, too')
    expect(out).toContain('total 900.0 ms from received on node-a to served on node-a')
  })

  test('an agent that knows nothing is named, the rest is shown, and the exit code is 1', async () => {
    const args = ['gossip', 'trace', 'web@node-b', '--also', `${other}:8080=b.token`]
    const { code, out } = await run(args, { agents: { [here]: usual } })
    expect(code).toBe(1)
    expect(out).toContain('missing: no agent answers at http://100.64.0.2:8080')
    expect(out).toContain('served')
  })

  test('a walk nobody holds: exit code 1, and what is held', async () => {
    const { code, err } = await run(['gossip', 'trace', 'nothing'], { agents: { [here]: usual } })
    expect(code).toBe(1)
    expect(err).toContain('it holds these, the newest first\n  shop:web@node-b#8\n')
  })

  test('--json carries the numbers', async () => {
    const { out } = await run(['gossip', 'trace', 'web@node-b', '--json'], { agents: { [here]: usual } })
    expect(JSON.parse(out)).toMatchObject({
      key: 'shop:web@node-b#8',
      totalMs: 900,
      entries: [{ hop: 'received', node: 'node-a' }, {}, {}, {}, { hop: 'served', slowest: true }],
      clocks: [{ node: 'node-a' }],
      silent: [],
    })
  })
})
