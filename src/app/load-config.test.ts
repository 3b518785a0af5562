import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { ConfigInvalid, loadConfig, type ConfigSources, type LoadedConfig } from './load-config.ts'
import { describeOrigin } from './config/complaint.ts'

const yamlFile = '/here/constellation.config.yaml'

function sources(over: Partial<ConfigSources> & { files?: Record<string, string> } = {}): ConfigSources {
  const { files = {}, ...rest } = over
  return {
    flags: {},
    env: {},
    cwd: '/here',
    hostName: 'node-a',
    interfaces: {},
    readFile: path => Promise.resolve(files[path]),
    importModule: () => Promise.reject(new Error('no module here')),
    ...rest,
  }
}

async function complaintsOf(from: ConfigSources): Promise<readonly string[]> {
  const error: unknown = await loadConfig(from).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ConfigInvalid)) throw new Error(`expected complaints, got ${String(error)}`)
  return error.complaints.map(({ where, what }) => `${where}: ${what}`)
}

function originOf(loaded: LoadedConfig, path: string): string {
  const setting = loaded.settings.find(({ leaf }) => leaf.path === path)
  return setting === undefined ? 'absent' : describeOrigin(setting.origin)
}

function ipv4(address: string): readonly NetworkInterfaceInfo[] {
  return [{ address, netmask: '255.255.255.255', family: 'IPv4', mac: '', internal: false, cidr: null }]
}

describe('precedence', () => {
  test('nothing said: the documented defaults', async () => {
    const { config, file } = await loadConfig(sources())
    expect(file).toBeUndefined()
    expect(config).toMatchObject({
      node: { name: 'node-a' },
      domain: 'localhost',
      priority: 50,
      role: 'node',
      expose: 'labelled',
      gossip: { bindAddr: '127.0.0.1', bindPort: 7946, advertiseAddr: '127.0.0.1', advertisePort: 7946, seeds: [] },
      raft: { port: 8300 },
      api: { port: 8080, bind: ['loopback', 'mesh'] },
      provider: { port: 8081 },
      proxy: { port: 8082, timeoutMs: 30_000 },
      engine: { kind: 'docker', docker: { socketPath: '/var/run/docker.sock' }, processes: [] },
      traefik: { version: '3.0', entryPoints: [], tls: false },
      paths: { dataDir: '/opt/constellation/data', secretsPath: '/opt/constellation/secrets' },
    })
  })

  test('a flag beats the environment, the environment the file, the file the default', async () => {
    const files = { [yamlFile]: 'api: {port: 1001}\nraft: {port: 1002}\nprovider: {port: 1003}\n' }
    const env = { API_PORT: '2001', CONSTELLATION_RAFT_PORT: '2002' }
    const loaded = await loadConfig(sources({ files, env, flags: { '--api-port': '3001' } }))
    expect(loaded.file).toBe(yamlFile)
    const { config } = loaded
    expect([config.api.port, config.raft.port, config.provider.port, config.proxy.port]).toEqual([
      3001, 2002, 1003, 8082,
    ])
    expect(originOf(loaded, 'api.port')).toBe('flag --api-port')
    expect(originOf(loaded, 'raft.port')).toBe('environment CONSTELLATION_RAFT_PORT')
    expect(originOf(loaded, 'provider.port')).toBe(`${yamlFile}:3:18`)
    expect(originOf(loaded, 'proxy.port')).toBe('default')
  })

  test.each([
    [{ TS_HOSTNAME: 'tail', NODE_NAME: 'node' }, 'tail'],
    [{ NODE_NAME: 'node' }, 'node'],
    [{ TS_HOSTNAME: '', NODE_NAME: 'node' }, 'node'],
    [{ CONSTELLATION_NODE_NAME: 'own', TS_HOSTNAME: 'tail' }, 'own'],
    [{}, 'node-a'],
  ])('the node name from %j is %s', async (env, name) => {
    expect((await loadConfig(sources({ env }))).config.node.name).toBe(name)
  })

  test('every name of earlier deployments is understood', async () => {
    const { config } = await loadConfig(
      sources({
        env: {
          DOMAIN: 'Example.org',
          PUBLIC_IP: '203.0.113.7',
          CONFIG_PATH: '/v',
          SECRETS_PATH: '/s',
          DATA_DIR: '/d',
          CLOUDFLARE_ZONE_ID: 'zone',
          API_PORT: '9000',
          HEADSCALE_URL: 'https://hs.example.org',
          REDIS_PASSWORD_FILE: '/s/redis.txt',
          SMARTPROXY_TIMEOUT: '1m30s',
          SMARTPROXY_MAX_IDLE_CONNS: '200',
          SMARTPROXY_MAX_IDLE_CONNS_PER_HOST: '20',
          SMARTPROXY_IDLE_TIMEOUT: '200ms',
          MIGRATION_RULES_PATH: '/r.yaml',
        },
      }),
    )
    expect(config).toMatchObject({
      domain: 'example.org',
      publicIp: '203.0.113.7',
      paths: { configPath: '/v', secretsPath: '/s', dataDir: '/d' },
      cloudflare: { zoneId: 'zone' },
      api: { port: 9000 },
      headscale: { url: 'https://hs.example.org' },
      redis: { passwordFile: '/s/redis.txt' },
      proxy: { timeoutMs: 90_000, maxIdleConnections: 200, maxIdleConnectionsPerHost: 20, idleTimeoutMs: 200 },
      migration: { rulesPath: '/r.yaml' },
    })
  })

  test('the result cannot be changed', async () => {
    const { config } = await loadConfig(sources())
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.engine.docker)).toBe(true)
    expect(Object.isFrozen(config.gossip.seeds)).toBe(true)
  })
})

describe('defaults found on the node', () => {
  test('gossip binds to the tailnet, and says so to peers', async () => {
    const { config } = await loadConfig(sources({ interfaces: { tailscale0: ipv4('100.64.0.9') } }))
    expect(config.gossip).toMatchObject({ bindAddr: '100.64.0.9', advertiseAddr: '100.64.0.9' })
  })

  test('bound to every address, peers are told the tailnet address', async () => {
    const flags = { '--bind-addr': '0.0.0.0' }
    const { config } = await loadConfig(sources({ flags, interfaces: { tailscale0: ipv4('100.64.0.9') } }))
    expect(config.gossip).toMatchObject({ bindAddr: '0.0.0.0', advertiseAddr: '100.64.0.9' })
  })

  test.each([
    ['100.64.0.9', ['100.64.0.0/10', 'fd7a:115c:a1e0::/48']],
    ['fd7a:115c:a1e0::9', ['100.64.0.0/10', 'fd7a:115c:a1e0::/48']],
    ['192.168.1.9', []],
    ['0.0.0.0', []],
  ])('bound to %s, gossip is heard from %j', async (bindAddr, ranges) => {
    const flags = { '--bind-addr': bindAddr, '--advertise-addr': '100.64.0.9' }
    expect((await loadConfig(sources({ flags }))).config.gossip.allowedSources).toEqual(ranges)
  })

  test('the keyring lies beside the other secrets, wherever they are', async () => {
    const keyringFile = async (over: Partial<ConfigSources>): Promise<string> =>
      (await loadConfig(sources(over))).config.gossip.keyringFile
    expect(await keyringFile({})).toBe('/opt/constellation/secrets/gossip-keyring.json')
    expect(await keyringFile({ env: { SECRETS_PATH: '/s' } })).toBe('/s/gossip-keyring.json')
    expect(await keyringFile({ env: { CONSTELLATION_GOSSIP_KEYRING_FILE: '/k/ring' } })).toBe('/k/ring')
  })

  test('a name with "cloudserver" in it makes the node preferred', async () => {
    const { config } = await loadConfig(sources({ hostName: 'cloudserver1' }))
    expect(config.priority).toBe(10)
  })
})

describe('the security of gossip', () => {
  const key = Buffer.alloc(32, 7).toString('base64')

  test('nothing said: in clear and without a label, but strict as soon as there is a key', async () => {
    const { config } = await loadConfig(sources())
    expect(config.gossip).toMatchObject({ label: '', profile: 'tailnet', verifyIncoming: true, verifyOutgoing: true })
    expect(config.gossip.key).toBeUndefined()
  })

  test('everything can be said in the environment', async () => {
    const env = {
      CONSTELLATION_GOSSIP_KEY: `${key}\n`,
      CONSTELLATION_GOSSIP_LABEL: 'staging',
      CONSTELLATION_GOSSIP_PROFILE: 'wan',
      CONSTELLATION_GOSSIP_VERIFY_INCOMING: 'no',
      CONSTELLATION_GOSSIP_VERIFY_OUTGOING: 'false',
      CONSTELLATION_GOSSIP_ALLOWED_SOURCES: '10.0.0.0/8, fd00::/8,192.0.2.1',
    }
    expect((await loadConfig(sources({ env }))).config.gossip).toMatchObject({
      key,
      label: 'staging',
      profile: 'wan',
      verifyIncoming: false,
      verifyOutgoing: false,
      allowedSources: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
    })
  })

  test('what cannot be used is named with its place, a key never with its value', async () => {
    const files = {
      [yamlFile]: [
        'gossip:',
        '  label: ' + 'ü'.repeat(128),
        '  key: AgICAgICAgICAgICAgICAg=',
        '  keyringFile: ring.json',
        '  profile: moon',
        '  allowedSources: [10.0.0.0/33, here]',
        '  verifyIncoming: maybe',
      ].join('\n'),
    }
    expect(await complaintsOf(sources({ files }))).toEqual([
      `${yamlFile}:5:12: gossip.profile must be "tailnet" or "lan" or "wan" or "local", not "moon"`,
      expect.stringContaining(`${yamlFile}:2:10: gossip.label must be a text of at most 255 bytes, not "üü`),
      expect.stringContaining(`${yamlFile}:4:16: gossip.keyringFile must be an absolute path to a file`),
      `${yamlFile}:3:8: gossip.key must be a base64 key of 16, 24 or 32 bytes (\`constellation keys generate\` makes one), not what was given (not shown, it is a secret)`,
      `${yamlFile}:7:19: gossip.verifyIncoming must be true or false, not "maybe"`,
      `${yamlFile}:6:20: gossip.allowedSources[0]: expected a range of addresses such as "100.64.0.0/10", or an address`,
      `${yamlFile}:6:33: gossip.allowedSources[1]: expected a range of addresses such as "100.64.0.0/10", or an address`,
    ])
  })
})

describe('files', () => {
  test('JSON with tabs is read with positions', async () => {
    const file = '/here/constellation.config.json'
    const loaded = await loadConfig(sources({ files: { [file]: '{\n\t"api": {\n\t\t"port": 9001\n\t}\n}' } }))
    expect(loaded.config.api.port).toBe(9001)
    expect(originOf(loaded, 'api.port')).toBe(`${file}:3:11`)
  })

  test('TypeScript is run and its default export is the configuration', async () => {
    const file = '/here/constellation.config.ts'
    const loaded = await loadConfig(
      sources({
        files: { [file]: 'export default {}' },
        importModule: path => Promise.resolve(path === file ? { default: { domain: 'example.org' } } : {}),
      }),
    )
    expect(loaded.config.domain).toBe('example.org')
    expect(originOf(loaded, 'domain')).toBe(file)
  })

  test('/etc/constellation is looked at last, a named file is the only one', async () => {
    const files = {
      '/etc/constellation/constellation.config.yml': 'domain: etc.example',
      '/here/x.yaml': 'domain: x.example',
    }
    expect((await loadConfig(sources({ files }))).config.domain).toBe('etc.example')
    expect((await loadConfig(sources({ files, flags: { '--config': 'x.yaml' } }))).config.domain).toBe('x.example')
    expect((await loadConfig(sources({ files, env: { CONSTELLATION_CONFIG: '/here/x.yaml' } }))).config.domain).toBe(
      'x.example',
    )
  })

  test('an empty file and an empty section say nothing', async () => {
    const { config } = await loadConfig(sources({ files: { [yamlFile]: '# nothing\ngossip:\napi:\n  port:\n' } }))
    expect(config.api.port).toBe(8080)
  })

  test('a named file that is not there is a complaint', async () => {
    expect(await complaintsOf(sources({ flags: { '--config': 'gone.yaml' } }))).toEqual([
      '/here/gone.yaml: there is no such file',
    ])
  })

  test('a file that is no YAML is named with the place', async () => {
    const [complaint, ...rest] = await complaintsOf(sources({ files: { [yamlFile]: 'a: 1\nb: [1\nc: 2\n' } }))
    expect(rest).toEqual([])
    expect(complaint).toMatch(/^\/here\/constellation\.config\.yaml:3:1: .*end with a \]/)
  })

  test('a file that cannot be read is named with the cause', async () => {
    const readFile = (path: string): Promise<undefined> =>
      path === yamlFile ? Promise.reject(new Error('EACCES: permission denied')) : Promise.resolve(undefined)
    expect(await complaintsOf(sources({ readFile }))).toEqual([`${yamlFile}: EACCES: permission denied`])
  })
})

describe('complaints', () => {
  test('every bad value of every source is named at once, with its place', async () => {
    const files = {
      [yamlFile]: [
        'gosip: {}',
        'gossip:',
        '  bindPort: 99999',
        '  seeds: [node-b, "node c"]',
        'bindPort: 7000',
        'traefik:',
        '  version: 3.0',
        'proxy:',
        '  timeoutMs: 30 seconds',
        'engine:',
        '  processes:',
        '    - service: web',
        '      command: node',
        '      port: 0',
        '      health: {http: /, tcp: true}',
        '      colour: red',
      ].join('\n'),
    }
    const env = { API_PORT: 'eighty', CONSTELLATION_RAFT_PROT: '1', PUBLIC_IP: 'here' }
    const found = await complaintsOf(sources({ files, env, flags: { '--role': 'king' } }))
    expect(found).toEqual([
      `${yamlFile}:1:8: there is no setting "gosip"; did you mean "gossip"?`,
      `${yamlFile}:5:11: there is no setting "bindPort"; did you mean "gossip.bindPort"?`,
      'environment CONSTELLATION_RAFT_PROT: no setting has this name; did you mean CONSTELLATION_RAFT_PORT?',
      'environment PUBLIC_IP: publicIp must be an IP address, not "here"',
      'flag --role: role must be "node" or "witness", not "king"',
      `${yamlFile}:3:13: gossip.bindPort must be a port (1 to 65535), not 99999`,
      `${yamlFile}:4:19: gossip.seeds[1]: expected "host" or "host:port"`,
      'environment API_PORT: api.port must be a port (1 to 65535), not "eighty"',
      `${yamlFile}:9:14: proxy.timeoutMs must be a duration ("30s", "1m30s", "200ms") or a whole number of milliseconds, not "30 seconds"`,
      `${yamlFile}:14:13: engine.processes[0].port: expected a port (1 to 65535)`,
      `${yamlFile}:15:15: engine.processes[0].health: expected exactly one of http, tcp and command`,
      `${yamlFile}:12:7: engine.processes[0]: there is no setting "colour" here`,
      `${yamlFile}:7:12: traefik.version must be a Traefik version 3.x in quotes, such as "3.1", not 3`,
    ])
  })

  test('two listeners on one port are named with both origins', async () => {
    const found = await complaintsOf(sources({ env: { API_PORT: '7946' }, flags: { '--proxy-port': '8081' } }))
    expect(found).toEqual([
      'environment API_PORT: api.port is 7946, which gossip.bindPort already has (default)',
      'flag --proxy-port: proxy.port is 8081, which provider.port already has (default)',
    ])
  })

  test('an address that peers cannot be told is refused', async () => {
    const [complaint] = await complaintsOf(sources({ flags: { '--bind-addr': '0.0.0.0' } }))
    expect(complaint).toContain('gossip.advertiseAddr is 0.0.0.0, where no peer can reach this node')
  })

  test('nodes that write in clear and refuse what is in clear would never hear each other', async () => {
    const found = await complaintsOf(sources({ env: { CONSTELLATION_GOSSIP_VERIFY_OUTGOING: 'false' } }))
    expect(found).toEqual([
      expect.stringMatching(/^environment CONSTELLATION_GOSSIP_VERIFY_OUTGOING: gossip\.verifyOutgoing is off/),
    ])
    const env = { CONSTELLATION_GOSSIP_VERIFY_INCOMING: 'false' }
    expect((await loadConfig(sources({ env }))).config.gossip.verifyOutgoing).toBe(true)
  })

  test('a value that is overridden is still checked', async () => {
    const files = { [yamlFile]: 'api: {port: no}' }
    expect(await complaintsOf(sources({ files, flags: { '--api-port': '9000' } }))).toEqual([
      `${yamlFile}:1:13: api.port must be a port (1 to 65535), not "no"`,
    ])
  })

  test('a mistyped flag gets a suggestion', async () => {
    expect(await complaintsOf(sources({ flags: { '--bindport': '1' } }))).toEqual([
      'flag --bindport: there is no such flag; did you mean --bind-port?',
    ])
  })

  test('a secret never appears in a complaint', async () => {
    const files = { [yamlFile]: 'redis: {password: [hunter2]}' }
    const found = await complaintsOf(sources({ files }))
    expect(found.join()).not.toContain('hunter2')
    expect(found).toHaveLength(1)
  })

  test('a host name that is no node name asks for one', async () => {
    expect(await complaintsOf(sources({ hostName: '' }))).toEqual([
      expect.stringMatching(/^default: the host name: node\.name must be set: not a node name/),
    ])
  })
})

test('processes are complete after loading', async () => {
  const files = {
    [yamlFile]: 'engine: {processes: [{service: web, command: node, health: {http: /h, intervalMs: 500ms}}]}',
  }
  const { config } = await loadConfig(sources({ files }))
  expect(config.engine.processes).toEqual([
    {
      service: 'web',
      command: 'node',
      args: [],
      env: {},
      labels: {},
      health: { http: '/h', intervalMs: 500, timeoutMs: 2_000, retries: 3, startPeriodMs: 0 },
    },
  ])
})
