/**
 * Every setting of the agent, once: its schema, default, unit and reason. A path in this tree is the key in the file
 * (`gossip.bindPort`) and the environment variable (`CONSTELLATION_GOSSIP_BIND_PORT`); names of other origin and flags are
 * listed beside it. Precedence: default, file, environment, flag.
 */
import { isTailnetAddress, tailnetAddress, tailnetRanges } from './mesh-address.ts'
import {
  bool,
  count,
  derived,
  domainName,
  duration,
  field,
  ip,
  listOf,
  node,
  oneOf,
  optional,
  path,
  port,
  text,
  url,
  type Surroundings,
  type ValuesOf,
} from './config/field.ts'
import {
  bindWord,
  cidr,
  clusterLabel,
  entryPoint,
  gossipKey,
  secretFile,
  seed,
  traefikVersion,
} from './config/kinds.ts'
import { processSpecs } from './config/process-spec.ts'
import { nodeName } from '../kernel/units.ts'

export type { ProcessSpec } from './config/process-spec.ts'
export type Config = ValuesOf<typeof fields>

export const fields = {
  node: {
    name: field(node, {
      fallback: derived('the host name', around => nodeName(around.hostName)),
      env: ['TS_HOSTNAME', 'NODE_NAME'],
      flag: '--node-name',
      why: 'Unique in the cluster and fixed once it has joined; appears in `<service>.<node>.<domain>`.',
    }),
    nodeId: field(optional(text), {
      fallback: derived('made at the first start and kept in the data directory', () => undefined),
      why: 'Tells a node that moved from another node that took its name. Set it only to restore a lost data directory.',
    }),
  },
  domain: field(domainName, {
    fallback: 'localhost',
    env: ['DOMAIN'],
    flag: '--domain',
    why: 'Services answer at `<service>.<domain>`. The default works on one machine and belongs to nobody.',
  }),
  publicIp: field(optional(ip), {
    fallback: undefined,
    env: ['PUBLIC_IP'],
    flag: '--public-ip',
    why: 'Where the internet reaches this node; peers are told it. Without it the node is no entrance.',
  }),
  priority: field(count, {
    fallback: derived('10 when the name contains "cloudserver", else 50', preferCloudServers),
    flag: '--priority',
    why: 'Lower is preferred among instances that are equally good.',
  }),
  role: field(oneOf('node', 'witness'), {
    fallback: 'node',
    flag: '--role',
    why: 'A witness takes part in the cluster and carries no workload.',
  }),
  expose: field(oneOf('labelled', 'all'), {
    fallback: 'labelled',
    flag: '--expose',
    why: 'Only containers with traefik.enable=true or constellation.expose=true are routed; `all` would publish databases.',
  }),
  paths: {
    dataDir: field(path, {
      fallback: '/opt/constellation/data',
      env: ['DATA_DIR'],
      flag: '--data-dir',
      why: 'What the agent remembers: node id, epoch, peers, the last good document.',
    }),
    configPath: field(path, {
      fallback: '/opt/constellation/volumes',
      env: ['CONFIG_PATH'],
      flag: '--config-path',
      unused: true,
      why: 'Volumes of services. Managed services will use it.',
    }),
    secretsPath: field(path, {
      fallback: '/opt/constellation/secrets',
      env: ['SECRETS_PATH'],
      flag: '--secrets-path',
      why: 'Files with mode 0600; the API token and the gossip keyring live here.',
    }),
  },
  gossip: {
    bindAddr: field(ip, {
      fallback: derived('the tailnet address of this node, else 127.0.0.1', around => tailnetOrLoopback(around)),
      flag: '--bind-addr',
      why: 'Peers talk to it, nobody else should: never every address unless told so.',
    }),
    bindPort: field(port, { fallback: 7946, flag: '--bind-port', why: 'UDP and TCP; the port memberlist uses.' }),
    advertiseAddr: field(ip, {
      fallback: derived('bindAddr, or the tailnet address when that is every address', advertisedAddress),
      flag: '--advertise-addr',
      why: 'What peers are told; differs from bindAddr behind NAT.',
    }),
    advertisePort: field(port, {
      fallback: derived('bindPort', around => Number(around.valueOf('gossip.bindPort'))),
      flag: '--advertise-port',
      why: 'What peers are told; differs from bindPort behind NAT.',
    }),
    seeds: field(listOf(seed), {
      fallback: [],
      flag: '--seeds',
      why: 'Where to meet the cluster: one reachable member is enough, remembered peers are tried as well.',
    }),
    profile: field(oneOf('tailnet', 'lan', 'wan', 'local'), {
      fallback: 'tailnet',
      why: 'How long silence may last. One for the whole cluster: a suspicion must last as long everywhere.',
    }),
    label: field(clusterLabel, {
      fallback: '',
      why: 'Clusters with different labels never mix. Empty, because members without one refuse those with one.',
    }),
    keyringFile: field(secretFile, {
      fallback: derived(
        'gossip-keyring.json in secretsPath',
        around => `${String(around.valueOf('paths.secretsPath'))}/gossip-keyring.json`,
      ),
      why: 'The keys of the cluster, the primary first, mode 0600. Once it is there it alone says which keys are used.',
    }),
    key: field(optional(gossipKey), {
      fallback: undefined,
      secret: true,
      why: 'The first key, while there is no keyring file: `constellation keys generate` makes one. Without, gossip is in clear.',
    }),
    verifyIncoming: field(bool, {
      fallback: true,
      why: 'With a key: refuse what comes in clear. Off only while keys are introduced into a running cluster.',
    }),
    verifyOutgoing: field(bool, {
      fallback: true,
      why: 'With a key: encrypt what is sent. Off only while keys are introduced into a running cluster.',
    }),
    allowedSources: field(listOf(cidr), {
      fallback: derived('the ranges of a tailnet when bindAddr lies in one, else everybody', tailnetSources),
      why: 'Gossip from, or about, other addresses is refused and counted. Empty means everybody.',
    }),
  },
  raft: {
    port: field(port, {
      fallback: 8300,
      flag: '--raft-port',
      unused: true,
      why: 'Peers are told it, so that it is known before use.',
    }),
  },
  api: {
    port: field(port, { fallback: 8080, env: ['API_PORT'], flag: '--api-port', why: 'REST API, health and metrics.' }),
    bind: field(listOf(bindWord), {
      fallback: ['loopback', 'mesh'],
      flag: '--api-bind',
      why: 'Reads over loopback are open, everything else needs the token. `mesh` is gossip.bindAddr.',
    }),
  },
  provider: {
    port: field(port, { fallback: 8081, flag: '--provider-port', why: 'Traefik polls its document here.' }),
    bind: field(listOf(bindWord), {
      fallback: ['loopback'],
      flag: '--provider-bind',
      why: 'Add the gateway of its network for a Traefik in a container; beyond loopback the token is needed.',
    }),
  },
  proxy: {
    port: field(port, {
      fallback: 8082,
      flag: '--proxy-port',
      why: 'The SmartFailoverProxy, for Traefik and for peers.',
    }),
    bind: field(listOf(bindWord), {
      fallback: ['loopback', 'mesh'],
      flag: '--proxy-bind',
      why: 'Peers reach instances without a published port through it, so it needs the mesh address.',
    }),
    timeoutMs: field(duration, {
      fallback: 30_000,
      unit: 'ms',
      env: ['SMARTPROXY_TIMEOUT'],
      why: 'A request that nobody has begun to answer by then, all attempts together, is given up with 504.',
    }),
    maxIdleConnections: field(count, {
      fallback: 1_024,
      unit: 'connections',
      env: ['SMARTPROXY_MAX_IDLE_CONNS'],
      why: 'Kept open for reuse over all upstreams; bounds file descriptors.',
    }),
    maxIdleConnectionsPerHost: field(count, {
      fallback: 256,
      unit: 'connections',
      env: ['SMARTPROXY_MAX_IDLE_CONNS_PER_HOST'],
      why: 'Kept open for reuse to one upstream.',
    }),
    idleTimeoutMs: field(duration, {
      fallback: 4_000,
      unit: 'ms',
      env: ['SMARTPROXY_IDLE_TIMEOUT'],
      why: 'Below the five seconds after which many servers close an idle connection under our feet.',
    }),
  },
  engine: {
    kind: field(oneOf('docker', 'process'), {
      fallback: 'docker',
      flag: '--engine',
      why: '`process` runs child processes instead of containers: for the demo and for nodes without Docker.',
    }),
    docker: {
      socketPath: field(path, {
        fallback: '/var/run/docker.sock',
        flag: '--docker-socket',
        why: 'Where the engine listens on this node.',
      }),
      host: field(optional(url), {
        fallback: undefined,
        flag: '--docker-host',
        why: 'An engine behind HTTP, such as a socket proxy that allows reads only; wins over socketPath.',
      }),
    },
    processes: field(processSpecs, { fallback: [], why: 'What the `process` engine runs.' }),
  },
  traefik: {
    version: field(traefikVersion, {
      fallback: '3.0',
      why: 'Fields that a newer Traefik brought are written only for that version: one unknown field loses the document.',
    }),
    entryPoints: field(listOf(entryPoint), {
      fallback: [],
      why: 'Of our routers; none means every entry point that Traefik calls default.',
    }),
    certResolver: field(optional(text), { fallback: undefined, why: 'Who obtains certificates, as named in Traefik.' }),
    tls: field(bool, {
      fallback: derived(
        'true when certResolver is set',
        around => around.valueOf('traefik.certResolver') !== undefined,
      ),
      why: 'Routers answer TLS only.',
    }),
  },
  log: {
    level: field(oneOf('debug', 'info', 'warn', 'error'), {
      fallback: 'info',
      flag: '--log-level',
      why: 'Least level written.',
    }),
    pretty: field(optional(bool), {
      fallback: derived('when standard output is a terminal', () => undefined),
      flag: '--log-pretty',
      why: 'Lines for people instead of JSON.',
    }),
  },
  cloudflare: {
    zoneId: field(optional(text), {
      fallback: undefined,
      env: ['CLOUDFLARE_ZONE_ID'],
      unused: true,
      why: 'The DNS zone of `domain`. DNS is not written yet.',
    }),
  },
  headscale: {
    url: field(optional(url), {
      fallback: undefined,
      env: ['HEADSCALE_URL'],
      unused: true,
      why: 'The control server of the tailnet. Discovery will use it.',
    }),
  },
  redis: {
    password: field(optional(text), {
      fallback: undefined,
      env: ['REDIS_PASSWORD'],
      secret: true,
      unused: true,
      why: 'The Redis watch will use it. A file is safer: variables are visible to every child process.',
    }),
    passwordFile: field(optional(path), {
      fallback: undefined,
      env: ['REDIS_PASSWORD_FILE'],
      unused: true,
      why: 'Holds the password instead. The Redis watch will use it.',
    }),
  },
  migration: {
    rulesPath: field(optional(path), {
      fallback: undefined,
      env: ['MIGRATION_RULES_PATH'],
      unused: true,
      why: 'Rules that move services. Migrations will use it.',
    }),
  },
} as const

function preferCloudServers(around: Surroundings): number {
  return String(around.valueOf('node.name')).includes('cloudserver') ? 10 : 50
}

function tailnetOrLoopback(around: Surroundings): string {
  return tailnetAddress(around.interfaces) ?? '127.0.0.1'
}

function advertisedAddress(around: Surroundings): string {
  const bindAddr = String(around.valueOf('gossip.bindAddr'))
  return isEveryAddress(bindAddr) ? (tailnetAddress(around.interfaces) ?? bindAddr) : bindAddr
}

function tailnetSources(around: Surroundings): readonly string[] {
  return isTailnetAddress(String(around.valueOf('gossip.bindAddr'))) ? tailnetRanges : []
}

export function isEveryAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}
