/** Asks an agent over its REST API, or tells it. Says for every failure what it means and what to do; retries nothing. */
import type { z } from 'zod'
import { ConstellationError, describeError } from '../../kernel/errors.ts'
import * as schema from '../rest/schema.ts'
import { keysAnswerMs } from '../../controllers/key-answers.ts'
import type { Millis } from '../../kernel/units.ts'
import type { CliConfig, CliDeps, RequestParts } from './deps.ts'
import { exitCodes, type ExitCode } from './exit.ts'
import { plain } from './text.ts'

/** Ends the command with `exitCode` after its message was printed. */
export class CliError extends ConstellationError {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, code: string, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(code, message, options)
    this.exitCode = exitCode
  }
}

export interface ClientOptions {
  readonly api?: string
  readonly tokenFile?: string
  readonly config?: string
}

/** A body as it came, for `--json`, and as its schema reads it. */
export interface Answer<T> {
  readonly raw: unknown
  readonly value: T
}

export interface Client {
  get<S extends z.ZodType>(path: string, shape: S): Promise<Answer<z.output<S>>>
  /** Changes need the token; on this node the agent's own is read when no other is given. */
  post<S extends z.ZodType>(path: string, body: object, shape: S): Promise<Answer<z.output<S>>>
}

const timeoutMs: Millis = 5_000
/** Other nodes are asked, and some may be slow. */
const changeTimeoutMs: Millis = keysAnswerMs + 3_000
const tokenFileName = 'api-token.txt'

export async function createClient<C extends CliConfig>(options: ClientOptions, deps: CliDeps<C>): Promise<Client> {
  const { base, ownTokenFile } = await findAgent(options, deps)
  const given = options.tokenFile === undefined ? {} : await authorization(options.tokenFile)

  async function authorization(file: string): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await deps.readToken(file)}` }
  }

  async function ask(url: string, request: RequestParts): Promise<{ status: number; body: unknown }> {
    try {
      const response = await deps.fetch(url, request)
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    } catch (cause) {
      if (cause instanceof SyntaxError) throw notAnAgent(url, cause)
      throw new CliError(exitCodes.unreachable, 'AGENT_UNREACHABLE', `no agent answers at ${base}`, {
        cause,
        hint: 'is it running (constellation agent)? --api <url> asks another one',
      })
    }
  }

  async function answer<S extends z.ZodType>(
    path: string,
    shape: S,
    request: RequestParts,
  ): Promise<Answer<z.output<S>>> {
    const url = base + path
    const { status, body } = await ask(url, request)
    if (status !== 200) throw refusal(url, status, body)
    const verdict = shape.safeParse(body)
    if (!verdict.success) throw notAnAgent(url, verdict.error)
    return { raw: body, value: verdict.data }
  }

  return {
    get(path, shape) {
      const headers = { accept: 'application/json', ...given }
      return answer(path, shape, { method: 'GET', headers, signal: AbortSignal.timeout(timeoutMs) })
    },
    async post(path, body, shape) {
      const own = options.tokenFile === undefined && ownTokenFile !== undefined ? await authorization(ownTokenFile) : {}
      const headers = { accept: 'application/json', 'content-type': 'application/json', ...given, ...own }
      const signal = AbortSignal.timeout(changeTimeoutMs)
      return answer(path, shape, { method: 'POST', headers, body: JSON.stringify(body), signal })
    },
  }
}

interface Agent {
  readonly base: string
  /** Of the agent on this node. Never sent to another. */
  readonly ownTokenFile?: string
}

async function findAgent<C extends CliConfig>(options: ClientOptions, deps: CliDeps<C>): Promise<Agent> {
  if (options.api === undefined) {
    const { config } = await deps.loadConfig(options.config === undefined ? {} : { '--config': options.config })
    const ownTokenFile = `${config.paths.secretsPath}/${tokenFileName}`
    return { base: `http://127.0.0.1:${config.api.port}`, ownTokenFile }
  }
  const text = /^https?:\/\//.test(options.api) ? options.api : `http://${options.api}`
  if (URL.canParse(text)) return { base: text.replace(/\/+$/, '') }
  throw new CliError(exitCodes.usage, 'API_URL_INVALID', `--api ${options.api} is no URL`, {
    hint: 'write it as http://100.64.0.1:8080',
  })
}

function refusal(url: string, status: number, body: unknown): CliError {
  const problem = schema.problem.safeParse(body)
  const detail = problem.success ? problem.data.detail : `HTTP ${status}`
  const code = problem.success ? problem.data.code : 'ANSWER_UNEXPECTED'
  if (status === 401) {
    return new CliError(exitCodes.unauthorised, code, `${url} is not open to us: ${detail}`, {
      hint: 'copy the token of that node into a file of your own with mode 0600 and pass --token-file',
    })
  }
  const reasons = problem.success ? (problem.data.reasons ?? []) : []
  const message = [
    problem.success ? detail : `${url} answered ${detail}`,
    ...reasons.map(reason => `  ${plain(reason)}`),
  ]
  return new CliError(exitCodes.unwell, code, message.join('\n'))
}

function notAnAgent(url: string, cause: Error): CliError {
  const message = `${url} did not answer as an agent of this version does`
  return new CliError(exitCodes.unwell, 'ANSWER_UNEXPECTED', message, {
    cause: new Error(describeError(cause).split('\n', 1)[0]),
    hint: 'does another program listen there, or is the agent older or newer than this command?',
  })
}
