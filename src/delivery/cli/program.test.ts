import { describe, expect, test } from 'vitest'
import { nodeName } from '../../kernel/units.ts'
import { ConstellationError } from '../../kernel/errors.ts'
import type { Facade } from '../../controllers/facade.ts'
import { aFacade } from '../../testing/a-facade.ts'
import { aNodeView, aView, anInstanceView } from '../../testing/builders.ts'
import { recordingLog } from '../../testing/recording-log.ts'
import { recordingMetrics } from '../../testing/recording-metrics.ts'
import { createAuthorise, createRestServer } from '../rest/index.ts'
import type { CliDeps, DemoOptions } from './deps.ts'
import { runCli } from './program.ts'

const token = 'a-token-of-some-length'
const busy = aFacade()

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly asked: readonly string[]
  readonly flags: readonly Readonly<Record<string, string>>[]
  readonly demos: readonly DemoOptions[]
  readonly tokenFiles: readonly string[]
}

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

/** The command line against a real REST server, without sockets in between. */
async function run(args: readonly string[], over: Partial<CliDeps> & { facade?: Facade } = {}): Promise<Run> {
  const { facade = busy, ...deps } = over
  const seen = {
    out: '',
    err: '',
    asked: [] as string[],
    flags: [] as Record<string, string>[],
    demos: [] as DemoOptions[],
    tokenFiles: [] as string[],
  }
  const app = await serverOf(facade)
  const code = await runCli(args, {
    version: '1.2.3',
    io: {
      out: text => (seen.out += text),
      err: text => (seen.err += text),
      colours: false,
      terminal: false,
      now: () => 0,
      wallNow: () => 1_700_000_000_000 + 7_500_000,
    },
    configFlags: [
      { name: '--config', help: 'file' },
      { name: '--bind-port', help: 'port' },
    ],
    loadConfig(flags) {
      seen.flags.push({ ...flags })
      const secret = {
        path: 'redis.password',
        value: '(set, not shown)',
        json: '(set, not shown)',
        unused: true,
        origin: 'environment X',
        unit: '',
        why: 'because',
      }
      const plain = {
        path: 'domain',
        value: 'localhost',
        json: 'localhost',
        unused: false,
        origin: 'default',
        unit: '',
        why: 'reason',
      }
      const config = { api: { port: 8080 }, paths: { secretsPath: '/secrets' } }
      return Promise.resolve({ config, file: undefined, settings: [plain, secret] })
    },
    runAgent: () => Promise.resolve(0),
    runDemo: options => {
      seen.demos.push(options)
      return Promise.resolve(0)
    },
    readToken(file) {
      seen.tokenFiles.push(file)
      return Promise.resolve(token)
    },
    sleep: () => Promise.resolve(),
    interruption: () => new AbortController().signal,
    readFile: () => Promise.reject(new Error('no such file')),
    readStdin: () => Promise.resolve(''),
    async fetch(url, { method, headers, body }) {
      seen.asked.push(url)
      const { host, pathname, hostname } = new URL(url)
      const remoteAddress = hostname === '127.0.0.1' ? '127.0.0.1' : '100.64.0.9'
      const payload = body === undefined ? {} : { payload: body }
      const answer = await app.inject({
        method,
        url: pathname,
        headers: { ...headers, host },
        remoteAddress,
        ...payload,
      })
      return new Response(answer.body, { status: answer.statusCode })
    },
    ...deps,
  })
  return { code, ...seen }
}

const wellView = aView({ nodes: [aNodeView({ instances: [anInstanceView()] })] })
const well = aFacade({}, wellView)

describe('status', () => {
  test('shows the cluster on one screen and exits with 1 while something is not well', async () => {
    const { code, out, asked } = await run(['status'])
    expect(asked).toEqual(['http://127.0.0.1:8080/api/v1/status'])
    expect(code).toBe(1)
    expect(out).toBe(
      [
        'node      node-a, agent 1.2.3, up 0s',
        'domain    example.org',
        'members   2 alive, 0 suspect, 0 dead, 0 left',
        'services  1 healthy, 1 degraded, 0 down, 1 stopped',
        'engine    docker 20.10.24, connected',
        'view      revision 7, complete',
        'traefik   document 3',
        'gossip    health score 0, 90 probes, 0 failed, 1 suspicions',
        '',
      ].join('\n'),
    )
  })

  test('exits with 0 when all is well', async () => {
    expect((await run(['status'], { facade: well })).code).toBe(0)
  })

  test('--json prints what the API answered', async () => {
    const { out } = await run(['status', '--json'])
    expect(JSON.parse(out)).toMatchObject({ node: 'node-a', members: { alive: 2 } })
  })
})

describe('nodes', () => {
  test('shows a line for each', async () => {
    const { code, out } = await run(['nodes'])
    expect(code).toBe(0)
    const [head, a, b] = out.split('\n')
    expect(head).toMatch(/^NODE\s+STATUS\s+AGENT\s+ADDRESS/)
    expect(a).toMatch(/^node-a \*\s+alive\s+up\s+100\.64\.0\.1:7946\s+2\/2 healthy\s+50\s+docker 20\.10\.24\s+1\.2\.3$/)
    expect(b).toMatch(/^node-b\s+alive\s+up\s+100\.64\.0\.2:7946\s+0\/2 healthy\s+50\s+-\s+-$/)
  })

  test('exits with 1 while one is dead', async () => {
    const view = aView({ nodes: [aNodeView({ status: 'dead', agent: 'unknown' })] })
    expect((await run(['nodes'], { facade: aFacade({}, view) })).code).toBe(1)
  })
})

describe('services', () => {
  test('lists them with their traffic', async () => {
    const { code, out } = await run(['services'])
    expect(code).toBe(1)
    expect(out).toMatch(/^shop:db\s+healthy\s+1\/1\s+node-a\s+not routed$/m)
    expect(out).toMatch(/^shop:web\s+degraded\s+1\/2\s+node-a, node-b\s+web\.example\.org$/m)
    expect(out).toMatch(/^toy:db\s+stopped\s+0\/1\s+node-b\s+not routed$/m)
  })

  test('of one it tells every instance, why it gets no traffic and since when', async () => {
    const { code, out } = await run(['services', 'web'])
    expect(code).toBe(1)
    expect(out).toContain('shop:web degraded')
    expect(out).toContain('web.node-b.example.org')
    expect(out).toMatch(/^node-b\s+shop-web-1\s+unhealthy\s+2h 5m\s+no\s+unhealthy: exit 1\s+-$/m)
  })

  test('an unknown one is an error with the remedy', async () => {
    const { code, out, err } = await run(['services', 'nothing'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('no service "nothing" is known here')
  })

  test('what another node named cannot steer the terminal', async () => {
    const nasty = anInstanceView({ node: nodeName('node-a'), containerName: 'x\u001B[2Jy', trafficReason: 'a\nb' })
    const facade = aFacade({}, aView({ nodes: [aNodeView({ instances: [nasty] })] }))
    const { out } = await run(['services', 'web'], { facade })
    expect(out).toContain('x?[2Jy')
    expect(out).toContain('a?b')
  })
})

describe('keys', () => {
  const [first, second, third] = ['111111111111', '222222222222', '333333333333']
  const key = Buffer.alloc(32, 0x33).toString('base64')

  test('list shows who has which, by fingerprint, and needs no token', async () => {
    const { code, out, tokenFiles } = await run(['keys', 'list'])
    expect([code, tokenFiles]).toEqual([0, []])
    expect(out.split('\n').map(line => line.split(/ {2,}/))).toEqual([
      ['NODE', 'OUTCOME', 'PRIMARY', 'FURTHER KEYS', 'WHY'],
      ['node-a', 'done', first, second, '-'],
      ['node-b', 'done', first, second, '-'],
      [''],
    ])
  })

  test('list exits with 1 while keyrings differ or a node is silent', async () => {
    const nodes = [{ node: 'node-a', outcome: 'done', fingerprints: [first] }] as const
    const differing = [{ fingerprint: first, primaryOn: ['node-a'], missingOn: ['node-b'] }]
    const answer = { operation: 'list', complete: true, refusals: [], keys: differing, nodes } as const
    const differ = aFacade({ keys: () => Promise.resolve(answer) })
    expect((await run(['keys', 'list'], { facade: differ })).code).toBe(1)
    const silent = aFacade({ keys: () => Promise.resolve({ ...answer, complete: false, keys: [] }) })
    expect((await run(['keys', 'list'], { facade: silent })).code).toBe(1)
  })

  test('generate prints a new key each time, and nothing else', async () => {
    const [one, two] = [await run(['keys', 'generate']), await run(['keys', 'generate'])]
    expect(one).toMatchObject({ code: 0, err: '', asked: [] })
    expect(Buffer.from(one.out.trim(), 'base64')).toHaveLength(32)
    expect(one.out).toMatch(/^[\w+/]{43}=\n$/)
    expect(two.out).not.toBe(one.out)
  })

  test.each([
    ['an argument', ['keys', 'install', key], {}],
    ['standard input', ['keys', 'install', '-'], { readStdin: () => Promise.resolve(`${key}\n`) }],
    ['a file', ['keys', 'install', '--key-file', 'f'], { readFile: () => Promise.resolve(`${key}\n`) }],
  ])('install takes the key from %s and shows its fingerprint, never the key', async (_, args, over) => {
    const { code, out, tokenFiles } = await run(args, { facade: aFacade(), ...over })
    expect([code, tokenFiles]).toEqual([0, ['/secrets/api-token.txt']])
    expect(out).toContain(third)
    expect(out).not.toContain(key)
  })

  test('use and remove end a rotation', async () => {
    const facade = aFacade()
    const used = await run(['keys', 'use', second, '--json'], { facade })
    expect([used.code, JSON.parse(used.out).nodes[0].fingerprints]).toEqual([0, [second, first]])
    const { code, out } = await run(['keys', 'remove', first], { facade })
    expect(code).toBe(0)
    expect(out).not.toContain(first)
  })

  test('some nodes did not do it: exit code 1, and they are named', async () => {
    const keys = [{ fingerprint: first, primaryOn: ['node-a'], missingOn: [] }]
    const nodes = [
      { node: 'node-a', outcome: 'done', fingerprints: [first] },
      { node: 'node-b', outcome: 'silent', fingerprints: [], reason: 'it did not answer\u001B[2J in time' },
    ] as const
    const answer = { operation: 'use', complete: false, refusals: [], keys, nodes } as const
    const facade = aFacade({ keys: () => Promise.resolve(answer) })
    const { code, out } = await run(['keys', 'use', first], { facade })
    expect(out).toContain('node-b: without this key it cannot read the others')
    expect(code).toBe(1)
    expect(out).toMatch(/^node-b\s+silent\s+-\s+-\s+it did not answer\?\[2J in time$/m)
  })

  test('a refusal says why, for every node', async () => {
    const { code, out, err } = await run(['keys', 'remove', first])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('remove: nothing was changed\n  node-a still encrypts with it; use another key first\n')
  })

  test('the token of this node is never sent to another', async () => {
    const { code, tokenFiles } = await run(['keys', 'use', first, '--api', '100.64.0.2:8080'])
    expect([code, tokenFiles]).toEqual([4, []])
  })

  test.each([
    ['no key at all', ['keys', 'install'], 'give the key once'],
    ['the key twice', ['keys', 'install', key, '--key-file', 'f'], 'give the key once'],
    ['a file that cannot be read', ['keys', 'install', '--key-file', 'f'], 'cannot read the key from f: no such file'],
    ['half a fingerprint', ['keys', 'use', '1111'], 'twelve digits'],
    ['no fingerprint', ['keys', 'remove'], 'missing required argument'],
  ])('%s is a usage error', async (_, args, message) => {
    const { code, err, asked } = await run(args)
    expect([code, asked]).toEqual([2, []])
    expect(err).toContain(message)
  })

  test('--help has the recipe', async () => {
    const { code, out } = await run(['keys', '--help'])
    expect(code).toBe(0)
    expect(out).toContain('constellation keys install --key-file new.key')
  })
})

describe('which agent is asked', () => {
  test.each([
    [['status', '--api', '100.64.0.2:8080'], 'http://100.64.0.2:8080/api/v1/status'],
    [['status', '--api', 'https://node-b.example/'], 'https://node-b.example/api/v1/status'],
  ])('%j', async (args, url) => {
    expect((await run([...args, '--token-file', 't'], { facade: well })).asked).toEqual([url])
  })

  test('the configuration file says the port of the agent here', async () => {
    expect((await run(['status', '--config', 'x.yaml'])).flags).toEqual([{ '--config': 'x.yaml' }])
  })

  test('another node wants its token: exit code 4 and what to do', async () => {
    const { code, err } = await run(['status', '--api', '100.64.0.2:8080'])
    expect(code).toBe(4)
    expect(err).toContain('only loopback is open')
    expect(err).toContain('--token-file')
  })

  test('the token from the file opens it', async () => {
    const { code } = await run(['status', '--api', '100.64.0.2:8080', '--token-file', 't'], { facade: well })
    expect(code).toBe(0)
  })

  test('a token that others can read is not sent', async () => {
    const readToken = (): Promise<string> =>
      Promise.reject(
        new ConstellationError('TOKEN_READABLE_BY_OTHERS', 't can be read by others', { hint: 'chmod 600 t' }),
      )
    const { code, err, asked } = await run(['status', '--token-file', 't'], { readToken })
    expect([code, asked]).toEqual([2, []])
    expect(err).toContain('chmod 600 t')
  })

  test('nobody there: exit code 3, with the cause', async () => {
    const fetch = (): Promise<Response> =>
      Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:8080') }))
    const { code, err } = await run(['status'], { fetch })
    expect(code).toBe(3)
    expect(err).toContain('no agent answers at http://127.0.0.1:8080: fetch failed: connect ECONNREFUSED')
    expect(err).toContain('constellation agent')
  })

  test.each([
    ['a page', '<html>', 200],
    ['another API', '{"node": 1}', 200],
    ['an error that is no problem', 'oops', 502],
    ['an empty answer', '', 200],
  ])('something else there answers %s', async (_, body, status) => {
    const { code, err } = await run(['status'], { fetch: () => Promise.resolve(new Response(body, { status })) })
    expect(code).toBe(1)
    expect(err).toContain('http://127.0.0.1:8080/api/v1/status')
  })

  test('an address that is none is a usage error', async () => {
    expect((await run(['status', '--api', 'http://'])).code).toBe(2)
  })
})

describe('usage', () => {
  test('--version and --help end well', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: '1.2.3\n', err: '' })
    const { code, out } = await run(['--help'])
    expect(code).toBe(0)
    expect(out).toContain('Examples:')
    expect(out).toContain('3  no agent answers')
  })

  test.each([
    ['a mistyped command', ['stauts'], 'Did you mean status?'],
    ['a mistyped option', ['status', '--jsn'], 'Did you mean --json?'],
    ['a value that is missing', ['agent', '--bind-port'], 'argument missing'],
    ['too many arguments', ['nodes', 'a'], 'too many arguments'],
    ['demo --json without --once', ['demo', '--json'], '--json goes with --once'],
    ['nothing at all', [], 'Usage: constellation'],
    ['a group without its command', ['config'], 'Usage: constellation config'],
  ])('%s: exit code 2, said on standard error', async (_, args, message) => {
    const { code, out, err } = await run(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
  })

  test('a configuration that cannot be used: exit code 2, every complaint printed', async () => {
    const loadConfig = (): Promise<never> =>
      Promise.reject(new ConstellationError('CONFIG_INVALID', 'two complaints:\n  a\n  b', { hint: 'correct them' }))
    const { code, err } = await run(['agent'], { loadConfig })
    expect([code, err]).toEqual([2, 'constellation: two complaints:\n  a\n  b\ncorrect them\n'])
  })

  test('a bug is not dressed up', async () => {
    const runAgent = (): Promise<number> => Promise.reject(new TypeError('x is undefined'))
    expect(await run(['agent'], { runAgent })).toMatchObject({ code: 1, err: 'constellation: x is undefined\n' })
  })
})

test('agent hands its flags to the configuration and its exit code on', async () => {
  const { code, flags } = await run(['agent', '--bind-port', '7000'], { runAgent: () => Promise.resolve(1) })
  expect([code, flags]).toEqual([1, [{ '--bind-port': '7000' }]])
})

test('demo hands its options on', async () => {
  expect((await run(['demo'])).demos).toEqual([{ once: false, json: false }])
  expect((await run(['demo', '--once', '--json'])).demos).toEqual([{ once: true, json: true }])
})

describe('config show', () => {
  test('prints every setting with its origin', async () => {
    const { code, out } = await run(['config', 'show'])
    expect(code).toBe(0)
    expect(out).toMatch(/^domain\s+localhost\s+default$/m)
    expect(out).toMatch(/^redis\.password\s+\(set, not shown\)\s+environment X, not used yet$/m)
  })

  test('takes the flags of agent, reasons on request, and JSON', async () => {
    expect((await run(['config', 'show', '--bind-port', '1'])).flags).toEqual([{ '--bind-port': '1' }])
    expect((await run(['config', 'show', '--why'])).out).toContain('because')
    expect(JSON.parse((await run(['config', 'show', '--json'])).out)).toMatchObject({
      file: null,
      settings: [
        { path: 'domain', value: 'localhost' },
        { path: 'redis.password', unused: true },
      ],
    })
  })
})
