/** Every knob of the SmartFailoverProxy with its default, unit and reason. Who reads the environment is not its concern. */
import { failOverStatusesDefault, type AttemptPolicy } from '../../core/proxy/index.ts'
import type { Millis } from '../../kernel/units.ts'

export interface ProxyOptions extends AttemptPolicy {
  /** Until a TCP connection to an instance counts as failed; checked about every half second. */
  readonly connectTimeoutMs: Millis
  /** Connections to instances kept open without a request, all together. */
  readonly maxIdleConnections: number
  /** The same for one address. */
  readonly maxIdleConnectionsPerHost: number
  /** How long such a connection is kept. Below the five seconds after which many servers close theirs unasked. */
  readonly idleTimeoutMs: Millis
  /** Requests up to this size are kept until answered, so that they can be sent again. */
  readonly replayBytesMax: number
  /** Answers up to this size are kept until complete, so that one that breaks off can be asked for elsewhere. */
  readonly holdBytesMax: number
  /** A client gets this long for its request head, against those who send a byte now and then. */
  readonly headTimeoutMs: Millis
  /** Nothing moves in either direction for this long: the connection is cut. Event streams and upgrades are exempt. */
  readonly stallTimeoutMs: Millis
  /** How long an idle client connection stays open. Above Traefik's 90 s, or it would find connections just closed. */
  readonly clientIdleTimeoutMs: Millis
  /** Check the certificates of instances that speak https. */
  readonly verifyUpstreamTls: boolean
}

export const proxyOptionsDefault: ProxyOptions = {
  attemptsMax: 3,
  tryTimeoutMs: 5_000,
  timeoutMs: 30_000,
  failOverStatuses: failOverStatusesDefault,
  connectTimeoutMs: 1_000,
  maxIdleConnections: 1_024,
  maxIdleConnectionsPerHost: 256,
  idleTimeoutMs: 4_000,
  replayBytesMax: 65_536,
  holdBytesMax: 65_536,
  headTimeoutMs: 10_000,
  stallTimeoutMs: 300_000,
  clientIdleTimeoutMs: 95_000,
  verifyUpstreamTls: true,
}
