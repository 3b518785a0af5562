/**
 * Asks all members about their keyrings and collects who answered what, and has our own ring kept on disk. Decides nothing
 * about keys; a node that does not answer, or could not be asked, is named, never left out.
 */
import type { ClusterInput, ClusterOutput, Fingerprint, KeyOperation, KeyReply } from '../core/cluster/index.ts'
import type { Keyring, Member, MemberStatus } from '../core/membership/index.ts'
import { decodeProfile } from '../core/registry/index.ts'
import { ConstellationError, describeError } from '../kernel/errors.ts'
import { unreachable } from '../kernel/invariant.ts'
import { createPrng } from '../kernel/prng.ts'
import { byText } from '../kernel/units.ts'
import type { Millis, NodeName } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { MetricsSink } from '../ports/metrics.ts'

/** Names keys and keeps the ring of this node. */
export interface KeyKeeper {
  readonly fingerprint: Fingerprint
  /** Rejects when the disk did not take it. */
  keep(keyring: Keyring): Promise<void>
}

export type NodeKeyOutcome =
  | { readonly kind: 'answered'; readonly node: string; readonly reply: KeyReply }
  /** Alive, asked, and silent until the time was over. */
  | { readonly kind: 'silent'; readonly node: string }
  | { readonly kind: 'notAsked'; readonly node: string; readonly status: MemberStatus; readonly reason: string }

/** Every member that has not left, ourselves included, ordered by name. */
export interface KeyOutcome {
  readonly nodes: readonly NodeKeyOutcome[]
}

export interface KeyDesk {
  /** Resolves when all have answered, at the latest after `timeoutMs`. Never rejects. */
  ask(operation: KeyOperation, timeoutMs: Millis): Promise<KeyOutcome>
  /** What the machine says about keys. */
  perform(output: KeyNews): void
  /** Whoever still waits is told what is known by now. */
  stop(): void
}

export type KeyNews = Extract<ClusterOutput, { readonly kind: 'keyringChanged' | 'keyRequestSent' | 'keyReply' }>

export interface KeyDeskParts {
  readonly self: NodeName
  readonly seed: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsSink
  readonly keeper: KeyKeeper | undefined
  readonly members: () => readonly Member[]
  /** Does nothing while the cluster does not run. */
  readonly feed: (input: KeyInput) => void
}

type KeyInput = Unstamped<Extract<ClusterInput, { readonly kind: 'keyRequest' | 'keyringKept' }>>
type Unstamped<I> = I extends { readonly now: number } ? Omit<I, 'now'> : never

/** A stream that broke, or found too many others open, is tried once more; the request is applied once all the same. */
const againMs: Millis = 1_000

interface Question {
  /** Whose answer is awaited. */
  readonly silent: Set<NodeName>
  readonly outcomes: Map<string, NodeKeyOutcome>
  readonly finish: () => void
}

export function createKeyDesk({ self, seed, clock, log, metrics, keeper, members, feed }: KeyDeskParts): KeyDesk {
  const prng = createPrng(seed).split()
  const questions = new Map<string, Question>()

  function perform(output: KeyNews): void {
    switch (output.kind) {
      case 'keyringChanged':
        return void keep(output.keyring)
      case 'keyRequestSent':
        return sent(questions.get(output.id), output.to)
      case 'keyReply':
        return answered(questions.get(output.id), output.node, output.reply)
      default:
        return unreachable(output)
    }
  }

  async function keep(keyring: Keyring): Promise<void> {
    try {
      await keeper?.keep(keyring)
    } catch (error) {
      log.warn('the gossip keyring could not be written and stays as it was', { error })
      return feed({ kind: 'keyringKept', problem: problemOf(error) })
    }
    metrics.gauge('constellation_gossip_keys', keyring.length)
    log.info('the gossip keyring was changed', { keys: keyring.map(key => keeper?.fingerprint(key)) })
    feed({ kind: 'keyringKept' })
  }

  function sent(question: Question | undefined, to: readonly NodeName[]): void {
    if (question === undefined) return
    for (const node of to) question.silent.add(node)
    const asked: ReadonlySet<string> = question.silent
    for (const member of members())
      if (member.status !== 'left' && !asked.has(member.name)) question.outcomes.set(member.name, notAsked(member))
  }

  function answered(question: Question | undefined, node: NodeName, reply: KeyReply): void {
    if (question?.silent.delete(node) !== true) return
    question.outcomes.set(node, { kind: 'answered', node, reply })
    if (question.silent.size === 0) question.finish()
  }

  return {
    perform,
    stop: () => [...questions.values()].forEach(({ finish }) => finish()),
    ask(operation, timeoutMs) {
      const id = newId()
      return new Promise(resolve => {
        const finish = (): void => {
          questions.delete(id)
          disarmAgain()
          disarmEnd()
          const silent = [...question.silent].map((node): NodeKeyOutcome => ({ kind: 'silent', node }))
          const nodes = [...question.outcomes.values(), ...silent].sort((a, b) => byText(a.node, b.node))
          resolve({ nodes })
        }
        const question: Question = { silent: new Set([self]), outcomes: new Map(), finish }
        const disarmEnd = clock.at(clock.now() + timeoutMs, finish)
        const disarmAgain = clock.at(clock.now() + againMs, () => {
          const only = [...question.silent].filter(node => node !== self)
          feed({ kind: 'keyRequest', id, operation, only })
        })
        questions.set(id, question)
        feed({ kind: 'keyRequest', id, operation })
      })
    },
  }

  /** Unlike any of an earlier run, which peers may remember. */
  function newId(): string {
    return Array.from({ length: 4 }, () => prng.below(0x1_0000_0000).toString(16).padStart(8, '0')).join('')
  }
}

function notAsked({ name, status, meta }: Member): NodeKeyOutcome {
  const foreign = decodeProfile(meta) === undefined
  const reason = status !== 'alive' ? `it is ${status}` : foreign ? 'it is no agent' : 'this node refused it first'
  return { kind: 'notAsked', node: name, status, reason }
}

function problemOf(error: unknown): string {
  const hint = error instanceof ConstellationError ? error.hint : undefined
  return `the keyring was not changed: ${describeError(error)}${hint === undefined ? '' : `; ${hint}`}`
}
