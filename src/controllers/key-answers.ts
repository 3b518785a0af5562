/**
 * Key operations as delivery asks for them: looks before it changes anything, and puts into words what became of every
 * node. A change that would cut off a node is not begun: whoever lacks the key that is to be used hears nobody afterwards,
 * and whoever still encrypts with the key that is to be removed is heard by nobody.
 */
import type { KeyOperation } from '../core/cluster/index.ts'
import type { Millis } from '../kernel/units.ts'
import type { ClusterHandle } from './cluster-handle.ts'
import type { KeyOutcome, NodeKeyOutcome } from './cluster-keys.ts'

export interface KeysAnswer {
  readonly operation: KeyOperation['kind']
  /** Every node did it. */
  readonly complete: boolean
  /** What stood against it, a sentence each; not empty only when something was to be changed. */
  readonly refusals: readonly string[]
  readonly keys: readonly KeyAnswer[]
  /** Ordered by name. */
  readonly nodes: readonly NodeKeysAnswer[]
}

export interface KeyAnswer {
  readonly fingerprint: string
  /** Nodes that encrypt with it. */
  readonly primaryOn: readonly string[]
  /** Nodes that answered and do not have it. */
  readonly missingOn: readonly string[]
}

export interface NodeKeysAnswer {
  readonly node: string
  readonly outcome: 'done' | 'refused' | 'silent' | 'notAsked'
  /** The primary first; unknown, and so empty, when it did not answer. */
  readonly fingerprints: readonly string[]
  /** Why it did not. */
  readonly reason?: string
}

/** Round trips are short; this is for the one that broke and is tried once more. */
const lookMs: Millis = 2_000
/** A slow disk writes its keyring in this time. */
const changeMs: Millis = 5_000

/** Whoever asks for a change waits a little longer than this. */
export const keysAnswerMs: Millis = lookMs + changeMs

export async function askForKeys(
  cluster: Pick<ClusterHandle, 'keys'>,
  self: string,
  operation: KeyOperation,
): Promise<KeysAnswer> {
  if (operation.kind === 'list') return answerOf(operation, await cluster.keys(operation, lookMs))
  if (operation.kind !== 'install') {
    const seen = await cluster.keys({ kind: 'list' }, lookMs)
    const obstacles = obstaclesTo(operation.kind, operation.fingerprint, self, seen.nodes)
    if (obstacles.length > 0) return notBegun(answerOf(operation, seen), obstacles)
  }
  const changed = answerOf(operation, await cluster.keys(operation, changeMs))
  // We are always among those who answer.
  return changed.nodes.length > 0 ? changed : notBegun(changed, [`${self} is stopping and has asked nobody`])
}

function notBegun(seen: KeysAnswer, refusals: readonly string[]): KeysAnswer {
  const nodes = seen.nodes.map(({ node, fingerprints, reason = 'nothing was begun' }) => ({
    node,
    outcome: 'notAsked' as const,
    fingerprints,
    reason,
  }))
  return { ...seen, complete: false, refusals, nodes }
}

/**
 * Nodes that are dead by now are no obstacle: they cannot be asked, and the answer names them. A suspect one may well be
 * alive, and is one or the other soon.
 */
function obstaclesTo(
  kind: 'use' | 'remove',
  fingerprint: string,
  self: string,
  nodes: readonly NodeKeyOutcome[],
): readonly string[] {
  const holders = nodes.filter(node => fingerprintsOf(node).includes(fingerprint)).map(({ node }) => node)
  if (kind === 'remove' && holders.length > 0 && !holders.includes(self))
    return [`${self} does not have ${fingerprint} any more; ask a node that has it: ${holders.join(', ')}`]
  const obstacles = nodes.flatMap(node => obstacleOf(kind, fingerprint, node))
  // Typed wrongly, and the key that was meant would stay.
  if (kind === 'remove' && holders.length === 0 && obstacles.length === 0)
    return [`no node that answers has ${fingerprint}; \`list\` shows which there are`]
  return obstacles
}

function obstacleOf(kind: 'use' | 'remove', fingerprint: string, node: NodeKeyOutcome): readonly string[] {
  if (node.kind === 'notAsked')
    return node.status === 'suspect' ? [`${node.node} is suspect; in a few seconds it is alive again or dead`] : []
  if (node.kind === 'silent') return [`${node.node} does not answer, so nothing was changed`]
  const { fingerprints, problem } = node.reply
  if (problem !== undefined) return [`${node.node}: ${problem}`]
  if (kind === 'remove')
    return fingerprints[0] === fingerprint ? [`${node.node} still encrypts with it; use another key first`] : []
  return fingerprints.includes(fingerprint) ? [] : [`${node.node} does not have ${fingerprint}; install it first`]
}

function answerOf(operation: KeyOperation, { nodes: outcomes }: KeyOutcome): KeysAnswer {
  const nodes = outcomes.map(outcome => nodeAnswer(outcome, operation))
  const refused = nodes.filter(({ outcome }) => outcome === 'refused')
  return {
    operation: operation.kind,
    complete: nodes.length > 0 && nodes.every(({ outcome }) => outcome === 'done'),
    refusals: operation.kind === 'list' ? [] : refused.map(({ node, reason = '' }) => `${node}: ${reason}`),
    keys: keyAnswers(outcomes),
    nodes,
  }
}

function nodeAnswer(outcome: NodeKeyOutcome, operation: KeyOperation): NodeKeysAnswer {
  const { node, kind } = outcome
  if (kind === 'silent') return { node, outcome: kind, fingerprints: [], reason: 'it did not answer in time' }
  if (kind === 'notAsked') return { node, outcome: kind, fingerprints: [], reason: outcome.reason }
  const { fingerprints, problem } = outcome.reply
  // It was removed there before: that is what was wanted.
  const isGone = operation.kind === 'remove' && fingerprints.length > 0 && !fingerprints.includes(operation.fingerprint)
  if (problem === undefined || isGone) return { node, outcome: 'done', fingerprints }
  return { node, outcome: 'refused', fingerprints, reason: problem }
}

function keyAnswers(outcomes: readonly NodeKeyOutcome[]): readonly KeyAnswer[] {
  const answered = outcomes.filter(({ kind }) => kind === 'answered')
  const names = (holds: (fingerprints: readonly string[]) => boolean): readonly string[] =>
    answered.filter(outcome => holds(fingerprintsOf(outcome))).map(({ node }) => node)
  return [...new Set(answered.flatMap(fingerprintsOf))].map(fingerprint => ({
    fingerprint,
    primaryOn: names(([primary]) => primary === fingerprint),
    missingOn: names(fingerprints => !fingerprints.includes(fingerprint)),
  }))
}

function fingerprintsOf(outcome: NodeKeyOutcome): readonly string[] {
  return outcome.kind === 'answered' ? outcome.reply.fingerprints : []
}
