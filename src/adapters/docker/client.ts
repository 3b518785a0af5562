/**
 * The calls we make to a Docker engine, each bounded in time and with its failure in our words. Wraps dockerode, which
 * never settles when an answer is cut off, answers a Buffer for garbage, does not negotiate the API version, and lets
 * DOCKER_HOST of the environment win over the socket it was given.
 */
import { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { describeError } from '../../kernel/errors.ts'
import type { Millis } from '../../kernel/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { ContainerGone, EngineUnavailable } from '../../ports/container-engine.ts'
import { withDeadline } from '../node/deadline.ts'
import { negotiate } from './api-version.ts'
import { isObject, numberAt, objectAt, textAt } from './json.ts'

export type DockerAddress =
  | { readonly socketPath: string }
  /** Plain HTTP, such as a socket proxy on the loopback interface. */
  | { readonly host: string; readonly port: number }

/** One negotiated connection's worth of calls; made anew after every outage, as the engine may have been upgraded. */
export interface DockerClient {
  readonly engineVersion: string
  /** The engine's own clock when it answered, in seconds since 1970; absent behind a proxy that drops the header. */
  readonly engineSeconds: number | undefined
  /** Summaries of all containers, running or not, as the engine wrote them. */
  list(signal: AbortSignal): Promise<readonly unknown[]>
  /** Undefined: there is no such container. */
  inspect(id: string, signal: AbortSignal): Promise<unknown>
  /** Resolves when the subscription is accepted. The caller destroys the stream; `signal` bounds the opening only. */
  events(query: EventQuery, signal: AbortSignal): Promise<Readable>
  /** Within the container's own stop timeout. Rejects with EngineUnavailable or ContainerGone. */
  restart(id: string, signal: AbortSignal): Promise<void>
}

export interface EventQuery {
  /** Engine clock, seconds since 1970: what happened from then on is told first, as far as the engine remembers. */
  readonly sinceSeconds?: number
  /** Lists, always: for a plain string the engine answers 400. */
  readonly filters: { readonly [filter: string]: readonly string[] }
}

/** Ample for a busy engine, short enough that a wedged one is noticed. */
const callTimeoutMs = 10_000
const inspectTimeoutMs = 5_000
/** Docker's own default when neither the container nor the daemon says otherwise. */
const stopTimeoutSecondsDefault = 10
/** On top of the stop timeout: killing, unmounting, networks and starting again on a loaded node. */
const restartSlackMs = 30_000
/** A container may ask to be waited for without end (-1); we do not. */
const restartTimeoutMsMax = 600_000

/** Pings and negotiates. Rejects with EngineUnavailable. */
export async function connectDocker(address: DockerAddress, clock: Clock, signal: AbortSignal): Promise<DockerClient> {
  const bounded = bound(clock)
  const unversioned = dockerode(address)
  const pong = await bounded('ping', callTimeoutMs, signal, async signal => {
    const answer = await ping(unversioned, signal)
    answer.resume() // the body says no more than the headers, but must be read for the socket to be freed
    return answer.headers
  })
  const theirs = pong['api-version']
  if (typeof theirs !== 'string') throw new EngineUnavailable('docker ping: the answer names no API version')
  const docker = dockerode(address, `v${negotiate(theirs)}`)
  const date = Date.parse(pong.date ?? '')

  async function inspect(id: string, signal: AbortSignal): Promise<unknown> {
    const found: unknown = await bounded(`inspect ${id}`, inspectTimeoutMs, signal, abortSignal =>
      docker.getContainer(id).inspect({ abortSignal }),
    ).catch(undefinedIfGone)
    if (found !== undefined && !isObject(found)) {
      throw new EngineUnavailable(`docker inspect ${id}: the answer is no JSON object`)
    }
    return found
  }

  return {
    engineVersion: engineVersion(String(pong['server'] ?? '')),
    engineSeconds: Number.isNaN(date) ? undefined : date / 1_000,
    inspect,

    async list(signal) {
      const found: unknown = await bounded('list', callTimeoutMs, signal, abortSignal =>
        docker.listContainers({ all: true, abortSignal }),
      )
      if (!Array.isArray(found)) throw new EngineUnavailable('docker list: the answer is no JSON list')
      return found
    },

    async events({ sinceSeconds, filters }, signal) {
      const query = { ...(sinceSeconds === undefined ? {} : { since: sinceSeconds }), filters: JSON.stringify(filters) }
      const stream = await bounded('events', callTimeoutMs, signal, abortSignal =>
        // The declared options lack the signal, which dockerode honours for this call as for the others.
        docker.getEvents({ ...query, abortSignal } as Docker.GetEventsOptions),
      )
      if (!(stream instanceof Readable)) throw new EngineUnavailable('docker events: the answer is no stream')
      return stream
    },

    async restart(id, signal) {
      const found = await inspect(id, signal)
      if (!isObject(found)) throw new ContainerGone(`docker restart ${id}: no such container`)
      await bounded(`restart ${id}`, restartTimeoutMs(found), signal, abortSignal =>
        docker.getContainer(id).restart({ abortSignal }),
      ).catch((error: unknown) => {
        throw statusOf(error) === 404 ? new ContainerGone(describeError(error), { cause: error }) : error
      })
    },
  }
}

function dockerode(address: DockerAddress, version?: string): Docker {
  return new Docker({
    // All spelled out, or DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CLIENT_TIMEOUT of the environment would fill the gaps.
    host: undefined,
    socketPath: undefined,
    ...address,
    protocol: 'http',
    timeout: 0,
    version,
    // No pooled connection may outlive the engine it leads to.
    headers: { connection: 'close' },
  })
}

/** dockerode's own ping drops the headers, and they are what we ask for. */
function ping(docker: Docker, abortSignal: AbortSignal): Promise<IncomingMessage> {
  const request = { path: '/_ping', method: 'GET', isStream: true, statusCodes: { 200: true }, abortSignal }
  return new Promise((resolve, reject) => {
    docker.modem.dial(request, (error, answer) => {
      if (answer instanceof IncomingMessage) resolve(answer)
      else reject(error ?? new Error('no HTTP answer'))
    })
  })
}

/** `Docker/20.10.24+dfsg1 (linux)` -> `20.10.24+dfsg1`; whatever else an engine calls itself is kept. */
function engineVersion(server: string): string {
  return /^Docker\/(\S+)/.exec(server)?.[1] ?? (server || 'unknown')
}

function restartTimeoutMs(inspected: Parameters<typeof objectAt>[0]): Millis {
  const seconds = numberAt(objectAt(inspected, 'Config'), 'StopTimeout') ?? stopTimeoutSecondsDefault
  const timeoutMs = seconds * 1_000 + restartSlackMs
  return seconds < 0 ? restartTimeoutMsMax : Math.min(timeoutMs, restartTimeoutMsMax)
}

function bound(clock: Clock) {
  return async <T>(
    what: string,
    timeoutMs: Millis,
    signal: AbortSignal,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const late = (): Error => new EngineUnavailable(`docker ${what}: no answer within ${timeoutMs / 1_000} s`)
    try {
      return await withDeadline({ clock, timeoutMs, signal, late }, call)
    } catch (error) {
      signal.throwIfAborted() // our own cancellation is not the engine's fault
      throw translated(what, error)
    }
  }
}

function translated(what: string, error: unknown): Error {
  if (error instanceof EngineUnavailable) return error
  const message = `docker ${what}: ${describeError(error).trim()}`
  const code = isObject(error) ? textAt(error, 'code') : ''
  const hint = hints[code]
  return new EngineUnavailable(message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

/** The HTTP status an error of ours goes back to. */
function statusOf(error: unknown): number | undefined {
  const cause = error instanceof EngineUnavailable ? error.cause : undefined
  return isObject(cause) ? numberAt(cause, 'statusCode') : undefined
}

function undefinedIfGone(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error
  return undefined
}

const hints: Readonly<Record<string, string>> = {
  EACCES: 'run the agent as root or as a member of the group that owns the socket',
  ENOENT: 'is Docker installed, and is engine.docker.socketPath its socket?',
  ECONNREFUSED: 'is the Docker engine running?',
}
