/**
 * The keyring of this node as a small machine: requests of our own and of other members, one at a time and in order. A ring
 * that changes is kept on disk first; only then is it used and the request answered, so what was answered survives a crash.
 * Invariants: a key is neither sent nor taken while gossip may be in clear; what we would refuse ourselves is asked of
 * nobody; a request that is repeated is answered again and applied once.
 */
import { unreachable } from '../../kernel/invariant.ts'
import { fail } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { NodeName } from '../../kernel/units.ts'
import type { Keyring } from '../membership/index.ts'
import { decodeKeyMessage, encodeKeyMessage } from './key-messages.ts'
import type { KeyOperation, KeyReply } from './key-operation.ts'
import { applyKeyOperation } from './keyring.ts'
import type { Fingerprint } from './keyring.ts'

export interface KeysSettings {
  readonly self: NodeName
  readonly keyring: Keyring
  /** All that is sent is encrypted, and nothing else is heard. */
  readonly enforced: boolean
  /** Undefined: this node keeps no keyring of its own and changes no keys. */
  readonly fingerprint: Fingerprint | undefined
}

interface Asking {
  readonly id: string
  readonly operation: KeyOperation
  readonly others: readonly NodeName[]
}

export type KeysInput =
  | (Asking & { readonly kind: 'ask' })
  /** Those who have not answered; we have done our own part. */
  | (Asking & { readonly kind: 'askAgain' })
  | { readonly kind: 'heard'; readonly bytes: Uint8Array; readonly via: 'packet' | 'stream' }
  /** What became of the last `keep`; `problem`: the disk did not take it. */
  | { readonly kind: 'kept'; readonly problem?: string }

export type KeysOutput =
  | { readonly kind: 'send'; readonly to: NodeName; readonly message: Uint8Array }
  /** All who will answer, unless they fail; nobody when we refused it ourselves. */
  | { readonly kind: 'asked'; readonly id: string; readonly nodes: readonly NodeName[] }
  | { readonly kind: 'keep'; readonly keyring: Keyring }
  | { readonly kind: 'use'; readonly keyring: Keyring }
  | { readonly kind: 'reply'; readonly id: string; readonly node: NodeName; readonly reply: KeyReply }
  | { readonly kind: 'refused'; readonly reason: 'malformed' | 'plaintext'; readonly detail: string }

export interface Keys {
  step(input: KeysInput): readonly KeysOutput[]
}

interface Job {
  readonly asker: NodeName
  readonly id: string
  readonly operation: KeyOperation
}

/** Operators do one thing at a time; more than this is a flood. */
const jobsMax = 32
/** Answers that are remembered for those who ask again. */
const answersMax = 64

const inClear =
  'gossip is in clear here; give every node gossip.key first, with gossip.verifyIncoming and gossip.verifyOutgoing ' +
  'off until all have it'
const notEnforced =
  'gossip may still be in clear here; switch gossip.verifyIncoming and gossip.verifyOutgoing on before changing keys'
const unmanaged = 'this node keeps no keyring of its own'
const overloaded = 'too many key requests wait here; try again'

export function createKeys(settings: KeysSettings): Keys {
  const { self, enforced } = settings
  const answers = new Map<string, KeyReply>()
  const waiting: Job[] = []
  let keyring = settings.keyring
  /** On its way to the disk, and for whom. */
  let pending: { readonly job: Job; readonly keyring: Keyring } | undefined
  let outputs: KeysOutput[] = []

  function ask({ id, operation, others }: Asking): void {
    const nodes = judge(operation).ok ? others : []
    outputs.push({ kind: 'asked', id, nodes })
    send({ id, operation, others: nodes })
    take({ asker: self, id, operation })
  }

  function send({ id, operation, others }: Asking): void {
    const message = encodeKeyMessage({ kind: 'request', id, from: self, operation })
    for (const to of others) outputs.push({ kind: 'send', to, message })
  }

  function heard(bytes: Uint8Array, via: 'packet' | 'stream'): void {
    if (via === 'packet') return refuse('plaintext', 'a key message in a packet; they come over streams alone')
    const decoded = decodeKeyMessage(bytes)
    if (!decoded.ok) return refuse('malformed', decoded.error)
    const { value: message } = decoded
    if (message.kind === 'request') take({ asker: message.from, id: message.id, operation: message.operation })
    else outputs.push({ kind: 'reply', id: message.id, node: message.from, reply: message.reply })
  }

  function take(job: Job): void {
    if (waiting.length < jobsMax) waiting.push(job)
    else answer(job, { ...current(), problem: overloaded })
    work()
  }

  function work(): void {
    while (pending === undefined) {
      const job = waiting.shift()
      if (job === undefined) return
      run(job)
    }
  }

  function run(job: Job): void {
    const known = answers.get(nameOf(job))
    if (known !== undefined) return answer(job, known)
    const judged = judge(job.operation)
    if (!judged.ok) return conclude(job, judged.error)
    if (judged.value === keyring) return conclude(job)
    pending = { job, keyring: judged.value }
    outputs.push({ kind: 'keep', keyring: judged.value })
  }

  function kept(problem: string | undefined): void {
    if (pending === undefined) return
    const { job, keyring: next } = pending
    pending = undefined
    if (problem === undefined) {
      keyring = next
      outputs.push({ kind: 'use', keyring })
    }
    conclude(job, problem)
    work()
  }

  function conclude(job: Job, problem?: string): void {
    const reply: KeyReply = problem === undefined ? current() : { ...current(), problem }
    // What was only seen is seen anew by who asks again, and what failed may go well the next time.
    if (job.operation.kind !== 'list' && problem === undefined) remember(job, reply)
    answer(job, reply)
  }

  function answer({ asker, id }: Job, reply: KeyReply): void {
    if (asker === self) outputs.push({ kind: 'reply', id, node: self, reply })
    else outputs.push({ kind: 'send', to: asker, message: encodeKeyMessage({ kind: 'reply', id, from: self, reply }) })
  }

  function remember(job: Job, reply: KeyReply): void {
    answers.set(nameOf(job), reply)
    const [oldest] = answers.keys()
    if (answers.size > answersMax && oldest !== undefined) answers.delete(oldest)
  }

  /** The ring that the operation would make here and now, or what stands against it, whoever asks for it. */
  function judge(operation: KeyOperation): Result<Keyring, string> {
    const { fingerprint } = settings
    if (fingerprint === undefined) return fail(unmanaged)
    if (keyring.length === 0) return fail(inClear)
    if (operation.kind !== 'list' && !enforced) return fail(notEnforced)
    return applyKeyOperation(keyring, operation, fingerprint)
  }

  function current(): KeyReply {
    const { fingerprint } = settings
    return { fingerprints: fingerprint === undefined ? [] : keyring.map(key => fingerprint(key)) }
  }

  function refuse(reason: 'malformed' | 'plaintext', detail: string): void {
    outputs.push({ kind: 'refused', reason, detail })
  }

  return {
    step(input) {
      outputs = []
      switch (input.kind) {
        case 'ask':
          ask(input)
          break
        case 'askAgain':
          send(input)
          break
        case 'heard':
          heard(input.bytes, input.via)
          break
        case 'kept':
          kept(input.problem)
          break
        default:
          return unreachable(input)
      }
      return outputs
    },
  }
}

function nameOf({ asker, id }: Job): string {
  return `${asker} ${id}`
}
